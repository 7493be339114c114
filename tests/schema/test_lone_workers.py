"""Lone workers through the API: missed checks by a moved clock, panic once, no silent withdrawal, wrong roles."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from domain import lone_workers
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_shifts import act, published, somebody, verb
from workers.lone_workers import look_at_due_checks

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WATCH = "id number everySeconds graceSeconds dueAt isMissed endedAt"
SIGN = "id cause number withdrawnAt endedAt position { lat lon at } incident { id status priority }"
START = verb("startWelfareChecks", "WelfareWatch", WATCH)
CONFIRM = verb("confirmWelfare", "WelfareWatch", WATCH)
END = verb("endWelfareChecks", "WelfareWatch", WATCH)
WITHDRAW = verb("withdrawDistress", "DistressSign", SIGN)
UPLOAD = verb("uploadPhoneEvents", "PhoneBatch", "accepted duplicates refused { eventId code }")
SIGNS = f"{{ distressSigns {{ nodes {{ {SIGN} }} }} welfareWatches {{ nodes {{ {WATCH} }} }} }}"
RESOLVE = """mutation ($id: ID!) { resolveIncident(input: {id: $id, resolution: "He is well"}) {
  ... on Incident { status } ... on Refusal { code message } } }"""
UPDATES = "query ($id: ID!) { node(id: $id) { ... on Incident { updates { body } } } }"


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


@pytest.fixture
async def office(api: Api) -> Office:
    return await asking.office(api)


async def at_work(api: Api, office: Office) -> tuple[str, str]:
    """A guard on a running shift: the token and the shift."""
    user = await somebody(api, office)
    shift = await published(api, office, user, datetime.now(UTC) - 10 * MINUTE)
    token = api.token(user)
    assert (await act(api, token, "clockIn", id=shift))["state"] == "RUNNING"
    return token, shift


async def upload(api: Api, token: str, *events: dict[str, Any]) -> Any:
    now = datetime.now(UTC).isoformat()
    given = {
        "device": "phone", "sentAt": now, "uptimeSeconds": 100.0, "boot": "a",
        "events": [{"at": now, "uptimeSeconds": 90.0, "boot": "a", **each} for each in events],
    }  # fmt: skip
    return (await api.data(token, UPLOAD, input=given))["uploadPhoneEvents"]


async def signs(api: Api, token: str) -> list[Any]:
    found: list[Any] = (await api.data(token, SIGNS))["distressSigns"]["nodes"]
    return found


async def critical(api: Api, office: Office) -> int:
    async with api.make() as session:
        found = await session.scalar(
            select(func.count(Incident.id)).where(
                Incident.tenant_id == office.world.tenant.id, Incident.category == "lone_worker"
            )
        )
    return found or 0


async def test_a_missed_check_opens_one_critical_incident_and_a_confirmed_one_none(
    api: Api, office: Office
) -> None:
    token, shift = await at_work(api, office)
    stranger = api.token(await somebody(api, office))
    assert (await api.data(stranger, START, input={"shiftId": shift}))["startWelfareChecks"][
        "code"
    ] == "NOT_FOUND"
    no = (await api.data(office.client, START, input={"shiftId": shift}))["startWelfareChecks"]
    assert no["code"] == "NOT_ALLOWED"
    watch = (await api.data(token, START, input={"shiftId": shift}))["startWelfareChecks"]
    assert (watch["everySeconds"], watch["graceSeconds"], watch["isMissed"]) == (1_800, 300, False)
    again = (await api.data(token, START, input={"shiftId": shift}))["startWelfareChecks"]
    assert again["code"] == "ALREADY_EXISTS"
    due = datetime.fromisoformat(watch["dueAt"])
    second = timedelta(seconds=1)
    await look_at_due_checks(api.make, at=due + 5 * MINUTE - second)
    assert await critical(api, office) == 0
    found = ids.read(watch["id"])
    assert found is not None
    late = datetime.now(UTC) - 6 * MINUTE
    async with transaction(api.make) as session:
        row = await session.get_one(lone_workers.WelfareWatch, found[1])
        row.due_at, row.look_at = late, late + 5 * MINUTE
    for _ in range(3):  # a worker may look several times
        await look_at_due_checks(api.make, at=datetime.now(UTC))
    assert await critical(api, office) == 1
    [sign] = await signs(api, office.dispatcher)
    assert (sign["cause"], sign["incident"]["priority"]) == ("MISSED_CHECK", "CRITICAL")
    assert await signs(api, office.client) == []
    assert await signs(api, stranger) == []
    confirmed = (await api.data(token, CONFIRM, input={"id": watch["id"]}))["confirmWelfare"]
    assert confirmed["isMissed"] is False
    [sign] = await signs(api, office.dispatcher)
    assert sign["incident"]["status"] == "NEW"  # it does not vanish
    updates = (await api.data(office.dispatcher, UPDATES, id=sign["incident"]["id"]))["node"]
    assert any("confirmed to be well" in each["body"] for each in updates["updates"])
    assert (await api.data(token, END, input={"id": watch["id"]}))["endWelfareChecks"][
        "code"
    ] == "NOT_ALLOWED"
    ended = (await api.data(office.dispatcher, END, input={"id": watch["id"]}))["endWelfareChecks"]
    assert ended["endedAt"]
    await look_at_due_checks(api.make, at=due + 9 * HOUR)
    assert await critical(api, office) == 1


async def test_panic_is_one_incident_with_a_position_only_while_it_lasts(
    api: Api, office: Office
) -> None:
    token, shift = await at_work(api, office)
    key = uuid4().hex
    place = {"lat": 52.1, "lon": 5.1, "positionAgeSeconds": 2.0}
    event = {"id": key, "kind": "PANIC", "shiftId": shift, **place}
    still = {"id": uuid4().hex, "kind": "NO_MOVEMENT", "shiftId": shift}
    assert (await upload(api, token, event))["accepted"] == 1
    again = await upload(api, token, still, event)
    assert (again["accepted"], again["duplicates"]) == (1, 1)
    other = api.token(await somebody(api, office))
    stranger = await upload(api, other, {**event, "id": uuid4().hex})
    assert [each["code"] for each in stranger["refused"]] == ["NOT_FOUND"]
    assert await critical(api, office) == 1
    found = await signs(api, office.dispatcher)
    assert {each["cause"] for each in found} == {"PANIC", "NO_MOVEMENT"}
    assert {each["incident"]["id"] for each in found} == {found[0]["incident"]["id"]}
    panic = next(each for each in found if each["cause"] == "PANIC")
    assert (panic["position"]["lat"], panic["position"]["lon"]) == (52.1, 5.1)
    withdrawn = (await api.data(token, WITHDRAW, input={"id": panic["id"]}))["withdrawDistress"]
    assert withdrawn["withdrawnAt"]
    assert (await signs(api, office.dispatcher))[0]["incident"]["status"] == "NEW"
    updates = (await api.data(office.dispatcher, UPDATES, id=panic["incident"]["id"]))["node"]
    assert any("it was nothing" in each["body"] for each in updates["updates"])
    resolved = await api.data(office.dispatcher, RESOLVE, id=panic["incident"]["id"])
    assert resolved["resolveIncident"]["status"] == "RESOLVED"
    assert {each["position"] for each in await signs(api, office.dispatcher)} == {None}
    async with transaction(api.make) as session:
        fact = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.tenant_id == office.world.tenant.id,
                LedgerRow.kind == "incident.resolved",
            )
        )
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await lone_workers.follow_distress(tx, fact)  # type: ignore[arg-type]
    async with api.make() as session:
        rows = list(await session.scalars(select(lone_workers.DistressSign)))
        kept = [row for row in rows if row.tenant_id == office.world.tenant.id]
        assert [(row.lat, row.lon, row.position_at) for row in kept] == [(None, None, None)] * 2
    fresh = {"id": uuid4().hex, "kind": "PANIC", "shiftId": shift}
    assert (await upload(api, token, fresh))["accepted"] == 1
    assert await critical(api, office) == 2  # a new emergency


async def test_an_auditor_sees_no_position(api: Api, office: Office) -> None:
    token, shift = await at_work(api, office)
    await upload(
        api, token, {"id": "1", "kind": "PANIC", "shiftId": shift, "lat": 52.1, "lon": 5.1}
    )
    auditor = api.token(await somebody(api, office, Role.AUDITOR))
    answer = await api.ask(auditor, SIGNS)
    nodes = (answer.get("data") or {}).get("distressSigns", {"nodes": []})["nodes"]
    assert nodes == []
    assert len(await signs(api, office.manager)) == 1
