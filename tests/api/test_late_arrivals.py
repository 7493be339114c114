"""Evidence that comes in after the verdict undoes nothing by itself: a person decides, and everybody sees it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import incidents, positions, promises
from domain.access import Actor, Tx
from domain.agreements import Priority, TicketKind
from domain.core.db import transaction
from domain.incidents import Source
from schema.core import ids
from tests import guards
from tests.api.asking import Api, Office
from tests.guards import Guard, near

SHOWN = """query ($i: ID!) { node(id: $i) { ... on Incident { status arrivedAt
  promises { kind state } lateArrivals { arrivedAt lateSeconds guard decision decidedAt duty { id } } } } }"""
DECIDE = """mutation ($i: %sLateArrivalInput!) { done: %sLateArrival(input: $i) {
  __typename ... on Refusal { code message argument } } }"""
LATE_BY = timedelta(hours=3)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def opened(api: Api, office: Office, guard: Guard, at: datetime) -> str:
    """An alarm, whose promises have been judged since."""
    async with transaction(api.make) as session:
        system = Actor.system(office.world.tenant.id, "test")
        incident = await incidents.open_incident(
            Tx(session, system, at),
            site_id=guard.site.id,
            priority=Priority.CRITICAL,
            summary="Alarm",
            source=Source.ALARM_CENTRE,
            reporter="centre",
            kind=TicketKind.ALARM,
        )
    async with transaction(api.make) as session:
        await promises.sweep(session, at=at + LATE_BY - timedelta(seconds=1), only=incident.id)
    return ids.write("Incident", incident.id)


async def hand_in(api: Api, guard: Guard, begins: datetime, now: datetime, many: int = 6) -> None:
    fixes = [
        {"at": (begins + timedelta(seconds=10 * n)).isoformat(), "accuracyM": 5, **near(0)}
        for n in range(many)
    ]
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": fixes}, headers=headers)
    assert answer.json()["accepted"] == many
    async with transaction(api.make) as session:
        assert await positions.judge(session, guard.duty.id, at=now)


async def shown(api: Api, token: str, incident: str) -> Any:
    return (await api.data(token, SHOWN, i=incident))["node"]


def arrival(told: Any) -> str:
    return next(str(p["state"]) for p in told["promises"] if p["kind"] == "ARRIVAL")


async def decide(api: Api, token: str, verb: str, incident: str, at: str, **more: Any) -> Any:
    given = {"id": incident, "arrivedAt": at, "reason": "The door log says so."} | more
    return (await api.data(token, DECIDE % (verb.title(), verb), i=given))["done"]


@pytest.mark.parametrize("verb", ["accept", "decline"])
async def test_a_late_arrival_waits_for_a_person(
    api: Api, office: Office, now: datetime, verb: str
) -> None:
    begins = now - LATE_BY
    guard = await guards.on_duty(api.make, office.world, from_at=begins - timedelta(minutes=9))
    incident = await opened(api, office, guard, begins)
    assert arrival(await shown(api, office.client, incident)) == "LATE"
    came = begins + timedelta(seconds=60)
    await hand_in(api, guard, came, now)
    await hand_in(api, guard, came + timedelta(seconds=120), now, many=3)  # offered once
    for token in (office.client, office.dispatcher):
        told = await shown(api, token, incident)
        assert (arrival(told), told["arrivedAt"], told["status"]) == ("LATE", None, "NEW")
        [late] = told["lateArrivals"]
        assert (late["decision"], late["guard"]) == ("PENDING", guard.duty.number)
        assert late["lateSeconds"] == pytest.approx(LATE_BY.total_seconds() - 60, abs=90)
        assert late["duty"]["id"] == ids.write("Duty", guard.duty.id)
    at = (await shown(api, office.client, incident))["lateArrivals"][0]["arrivedAt"]
    for token in (office.client, api.token(guard.user.id)):
        refused = await api.ask(
            token, DECIDE % (verb.title(), verb), i={"id": incident, "arrivedAt": at, "reason": "x"}
        )
        assert (refused.get("data") or {}).get("done", {}).get("__typename") != "Incident"
    assert (await decide(api, office.dispatcher, verb, incident, at, arrivedAt=now.isoformat()))[
        "code"
    ] == "NOT_FOUND"
    assert (await decide(api, office.dispatcher, verb, incident, at))["__typename"] == "Incident"
    assert (await decide(api, office.dispatcher, verb, incident, at))["code"] == "ALREADY_DONE"
    await hand_in(api, guard, came + timedelta(seconds=200), now, many=3)
    told = await shown(api, office.client, incident)
    [late] = told["lateArrivals"]
    assert late["decision"] == {"accept": "ACCEPTED", "decline": "DECLINED"}[verb]
    assert arrival(told) == {"accept": "KEPT", "decline": "LATE"}[verb]


async def test_what_came_in_on_time_counts_as_before_also_beside_what_did_not(
    api: Api, office: Office, now: datetime
) -> None:
    begins = now - LATE_BY
    guard = await guards.on_duty(api.make, office.world, from_at=begins - timedelta(minutes=9))
    incident = await opened(api, office, guard, begins)
    await hand_in(api, guard, begins + timedelta(seconds=60), now)
    await hand_in(api, guard, now - timedelta(seconds=60), now, many=4)
    told = await shown(api, office.client, incident)
    assert arrival(told) == "LATE"
    assert datetime.fromisoformat(told["arrivedAt"]) == now - timedelta(seconds=60)
    assert [late["decision"] for late in told["lateArrivals"]] == ["PENDING"]


async def test_an_arrival_on_time_needs_nobody(api: Api, office: Office, now: datetime) -> None:
    guard = await guards.on_duty(api.make, office.world)
    async with transaction(api.make) as session:
        system = Actor.system(office.world.tenant.id, "test")
        row = await incidents.open_incident(
            Tx(session, system, now - timedelta(minutes=10)),
            site_id=guard.site.id,
            priority=Priority.CRITICAL,
            summary="Alarm",
            source=Source.ALARM_CENTRE,
            reporter="centre",
            kind=TicketKind.ALARM,
        )
    await hand_in(api, guard, now - timedelta(minutes=5), now)
    told = await shown(api, office.client, ids.write("Incident", row.id))
    assert (arrival(told), told["lateArrivals"]) == ("KEPT", [])


async def test_a_guard_is_on_duty_at_one_place_at_a_time_except_on_one_tour(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await guards.on_duty(api.make, office.world)
    headers = {"authorization": f"Bearer {api.token(guard.user.id)}"}
    query = """mutation ($i: AssignDeviceInput!) { done: assignDevice(input: $i) {
      __typename ... on Refusal { code message argument } ... on Duty { tour } } }"""

    async def assign(hours: int, **more: Any) -> Any:
        answer = await api.http.post("/auth/devices", json={"name": "Phone"}, headers=headers)
        times = {
            "fromAt": now + timedelta(hours=hours),
            "untilAt": now + timedelta(hours=hours + 2),
        }
        given = {"deviceId": answer.json()["id"], "accountId": office.account} | more
        given |= {key: at.isoformat() for key, at in times.items()}
        return (await api.data(office.dispatcher, query, i=given))["done"]

    refused = await assign(1, siteId=office.site)
    assert (refused["code"], refused["argument"]) == ("ALREADY_EXISTS", "deviceId")
    assert "tour" in refused["message"]
    assert (await assign(1))["code"] == "ALREADY_EXISTS"
    same = ids.write("Site", guard.site.id)
    assert (await assign(1, siteId=same))["__typename"] == "Duty"
    assert (await assign(20, siteId=office.site, tour="night"))["tour"] == "night"
    assert (await assign(20, siteId=same))["code"] == "ALREADY_EXISTS"
    assert (await assign(20, siteId=same, tour="other"))["code"] == "ALREADY_EXISTS"
    assert (await assign(20, siteId=same, tour="night"))["tour"] == "night"
