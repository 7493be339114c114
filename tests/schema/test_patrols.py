"""Patrols through the API: planned, scanned, judged and followed, as the right and the wrong roles."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import accounts, patrols
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office, SelectCounter
from workers.patrols import look_at_due_rounds

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
REFUSED = "... on Refusal { code argument message }"


def verb(name: str, shown: str, fields: str) -> str:
    title = name[0].upper() + name[1:]
    return (
        f"mutation ($input: {title}Input!) {{ {name}(input: $input) {{"
        f" ... on {shown} {{ {fields} }} {REFUSED} }} }}"
    )


ADD = verb("addPatrolRoute", "PatrolRoute", "id points { id place kind lat } site { id }")
ISSUE = verb("issuePatrolTag", "IssuedPatrolTag", "content tag { id isSigned revokedAt }")
PLAN = verb("planPatrolRounds", "PatrolRoute", "id rounds")
UPLOAD = verb(
    "uploadPatrolScans", "PatrolUpload",
    "accepted duplicates skewMs refused { sequence code message } user { id }",
)  # fmt: skip
ROUNDS = """query ($account: ID) { patrolRounds(accountId: $account, states: [OPEN, ENDED, PLANNED]) {
  nodes { id state visited missed completionPct pointCount fromAt route { name points { lat tags { id } } }
  visits { grade madeAt isLate missedAt scan { grade reasons device distanceM user { id } point { name } } } } } }"""
ROUTE = {
    "name": "Night", "service": "patrol", "rule": "FREQ=DAILY", "startsOn": "2026-01-01",
    "localStart": "00:00:00", "localEnd": "00:00:00", "roundMinutes": 1_380,
    "points": [
        {"name": "Gate", "kind": "QR", "lat": 52.0, "lon": 5.0},
        {"name": "Roof", "kind": "QUESTION", "lat": 52.0, "lon": 5.0, "question": "Hatch shut?"},
    ],
}  # fmt: skip


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def guard(api: Api, office: Office) -> tuple[UUID, str]:
    name = uuid4().hex
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        user = await accounts.add_user(tx, email=f"{name}@example.org", name=name, role=Role.GUARD)
    return user.id, api.token(user.id)


async def asked(api: Api, token: str, document: str, **given: Any) -> Any:
    [answer] = (await api.data(token, document, input=given)).values()
    return answer


def scans(at: datetime, code: str, roof: str) -> list[dict[str, Any]]:
    position = {"lat": 52.0, "lon": 5.0, "at": at.isoformat(), "accuracyM": 5.0}
    return [
        {"sequence": 1, "at": at.isoformat(), "code": code, "position": position},
        {
            "sequence": 2,
            "at": at.isoformat(),
            "pointId": roof,
            "answer": "Yes",
            "position": position,
        },
        {"sequence": 3, "at": at.isoformat(), "code": "unknown"},
    ]


async def begun(api: Api, office: Office) -> tuple[str, str]:
    """A route with rounds from two days ago on: the content of its code, and its second point."""
    given = ROUTE | {"siteId": office.site}
    for token in (office.client, (await guard(api, office))[1]):
        refused = await asked(api, token, ADD, **given)
        assert refused["code"] == "NOT_ALLOWED"
    route = await asked(api, office.dispatcher, ADD, **given)
    gate, roof = route["points"]
    issued = await asked(api, office.dispatcher, ISSUE, pointId=gate["id"])
    assert (issued["tag"]["isSigned"], issued["tag"]["revokedAt"]) == (False, None)
    now = api.state.now()
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), now - 72 * HOUR)
        route_id = ids.wanted(route["id"], "PatrolRoute", "id")
        days = ((now - 48 * HOUR).date(), (now + 24 * HOUR).date())
        await patrols.plan_rounds(tx, route_id, first_on=days[0], last_on=days[1])
    again = await asked(
        api, office.dispatcher, PLAN, routeId=route["id"],
        firstOn=(now + 24 * HOUR).date().isoformat(), lastOn=(now + 48 * HOUR).date().isoformat(),
    )  # fmt: skip
    assert again["id"] == route["id"]
    return issued["content"], roof["id"]


async def test_scans_are_uploaded_once_judged_and_shown_to_each_role_as_it_may(api: Api) -> None:
    office = await asking.office(api)
    code, roof = await begun(api, office)
    user, token = await guard(api, office)
    at = api.state.now() - 26 * HOUR
    given = {
        "device": "phone",
        "sentAt": api.state.now().isoformat(),
        "scans": scans(at, code, roof),
    }
    assert (await asked(api, office.client, UPLOAD, **given))["code"] == "NOT_ALLOWED"
    first, again = [await asked(api, token, UPLOAD, **given) for _ in range(2)]
    assert (first["accepted"], first["duplicates"]) == (2, 0)
    assert [(each["sequence"], each["code"]) for each in first["refused"]] == [(3, "NOT_FOUND")]
    assert first["user"] == {"id": ids.write("User", user)}
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    await look_at_due_rounds(api.make, at=api.state.now())

    async def seen(token: str) -> list[Any]:
        found: list[Any] = (await api.data(token, ROUNDS, account=office.account))["patrolRounds"][
            "nodes"
        ]
        return found

    staff, client = await seen(office.dispatcher), await seen(office.client)
    assert [each["state"] for each in staff] != [each["state"] for each in client]
    assert {each["state"] for each in client} <= {"OPEN", "ENDED"}
    [scanned] = [each for each in client if each["visited"]]
    assert (scanned["pointCount"], scanned["completionPct"]) == (2, 100.0)
    visit = scanned["visits"][0]
    assert (visit["grade"], visit["scan"]["reasons"]) == ("C", ["CODE", "FIX_INSIDE"])
    hidden = (visit["scan"]["device"], visit["scan"]["distanceM"], visit["scan"]["user"])
    assert hidden == (None, None, None)
    assert scanned["route"]["points"][0] == {"lat": None, "tags": []}
    [shown] = [each["visits"][0]["scan"] for each in staff if each["visited"]]
    assert (shown["device"], shown["user"]) == ("phone", {"id": ids.write("User", user)})
    other = await asking.office(api)
    assert await seen(other.client) == []
    assert await seen((await guard(api, office))[1]) == []


async def test_lists_of_rounds_take_as_many_selects_for_many_as_for_few(api: Api) -> None:
    office = await asking.office(api)
    await begun(api, office)
    await look_at_due_rounds(api.make, at=api.state.now())
    counts = []
    for _ in range(2):
        with SelectCounter(api) as counter:
            await api.data(office.dispatcher, ROUNDS, account=office.account)
        counts.append(len(counter.statements))
        await begun(api, office)
        await look_at_due_rounds(api.make, at=api.state.now())
    assert counts[0] == counts[1]
