"""Grades of arrivals, from the endpoint of devices to what client, company and strangers read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import incidents, positions
from domain.access import Actor, Tx
from domain.agreements import Priority, TicketKind
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Source
from schema.core import ids
from tests import guards
from tests.api import asking
from tests.api.asking import Api, Office
from tests.guards import Guard, near

SHOWN = """query ($i: ID!) { node(id: $i) { ... on Incident { arrivedAt arrivalEvidence {
  instant source grade reasons { code figure text allows } provenFrom { grade fromAt } } } } }"""
ARRIVE = """mutation ($i: ID!) { done: arriveAtIncident(input: {id: $i}) { __typename
  ... on Refusal { code } } }"""
STEPS = tuple(range(0, 100, 10))


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def alarm(api: Api, office: Office, guard: Guard, at: datetime) -> str:
    """Open an alarm at the guard's post."""
    async with transaction(api.make) as session:
        row = await incidents.open_incident(
            Tx(session, Actor.system(office.world.tenant.id, "test"), at),
            site_id=guard.site.id,
            priority=Priority.CRITICAL,
            summary="Alarm",
            source=Source.ALARM_CENTRE,
            reporter="centre",
            kind=TicketKind.ALARM,
        )
    return ids.write("Incident", row.id)


async def hand_in(
    api: Api, guard: Guard, begins: datetime, seconds: Sequence[int], **more: Any
) -> None:
    """Send fixes in the middle of the geofence, and let them be evaluated."""
    fixes = [
        {"at": (begins + timedelta(seconds=s)).isoformat(), "accuracyM": 5, **near(0), **more}
        for s in seconds
    ]
    headers = {"authorization": f"Bearer {guard.token}"}
    answer = await api.http.post("/ingest/positions", json={"fixes": fixes}, headers=headers)
    assert answer.json()["accepted"] == len(fixes), answer.text
    async with transaction(api.make) as session:
        assert await positions.judge(session, guard.duty.id, at=datetime.now(UTC))


async def shown(api: Api, token: str, incident: str) -> Any:
    """What somebody reads about the arrival."""
    return (await api.data(token, SHOWN, i=incident))["node"]


async def graded(api: Api, incident: str) -> list[tuple[str, str | None, str]]:
    """The facts about the arrival, with the grade before and after."""
    found = ids.read(incident)
    assert found is not None
    async with api.make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.subject_id == found[1], LedgerRow.kind.in_(incidents.ARRIVAL_FACTS))
            .order_by(LedgerRow.id)
        )
        return [(f.kind, f.body.get("grade_before"), f.body.get("grade", "")) for f in rows]


async def test_client_and_company_read_the_grade_of_an_arrival_and_strangers_do_not(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await guards.on_duty(api.make, office.world)
    incident = await alarm(api, office, guard, now - timedelta(minutes=5))
    assert (await shown(api, office.client, incident))["arrivalEvidence"] is None
    came = now - timedelta(minutes=2)
    await hand_in(api, guard, came, STEPS, mock=False)
    for token in (office.client, office.dispatcher):
        told = (await shown(api, token, incident))["arrivalEvidence"]
        assert (told["source"], told["grade"]) == ("GEOFENCE", "B")  # received a minute late
        assert datetime.fromisoformat(told["instant"]) == came
        reasons = {each["code"]: each for each in told["reasons"]}
        assert reasons["ACCURACY"]["text"] == "The position is accurate to 5 m."
        assert (reasons["DELAY"]["allows"], reasons["DELAY"]["figure"] > 100) == ("B", True)
        assert [each["grade"] for each in told["provenFrom"]] == ["B", "C"]
    stranger = await asking.office(api)
    for token in (stranger.client, stranger.dispatcher):
        assert await shown(api, token, incident) is None
    other = await guards.on_duty(api.make, office.world)  # a guard at another post
    assert await shown(api, api.token(other.user.id), incident) is None


async def test_what_a_person_reports_is_graded_d_until_fixes_support_it(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await guards.on_duty(api.make, office.world)
    incident = await alarm(api, office, guard, now - timedelta(minutes=5))
    assert (await api.data(office.client, ARRIVE, i=incident))["done"]["code"] == "NOT_ALLOWED"
    done = await api.data(office.dispatcher, ARRIVE, i=incident)
    assert done["done"]["__typename"] == "Incident"
    told = (await shown(api, office.client, incident))["arrivalEvidence"]
    assert (told["source"], told["grade"], told["provenFrom"]) == ("HAND", "D", [])
    assert [each["code"] for each in told["reasons"]] == ["REPORTED"]
    after = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    await hand_in(api, guard, after, STEPS, mock=False)
    told = await shown(api, office.client, incident)
    assert datetime.fromisoformat(told["arrivedAt"]) < after
    proven = {
        each["grade"]: datetime.fromisoformat(each["fromAt"])
        for each in told["arrivalEvidence"]["provenFrom"]
    }
    assert proven["C"] == after
    assert [each[0] for each in await graded(api, incident)] == [
        "incident.arrived",
        "incident.arrival_graded",
    ]


async def test_further_fixes_change_the_grade_once_and_simulated_ones_take_it_back(
    api: Api, office: Office, now: datetime
) -> None:
    guard = await guards.on_duty(api.make, office.world)
    incident = await alarm(api, office, guard, now - timedelta(minutes=5))
    came = now - timedelta(seconds=90)
    await hand_in(api, guard, came, [0, 6], mock=False, accuracyM=20)
    first = (await shown(api, office.client, incident))["arrivalEvidence"]["grade"]
    for s in range(20, 100, 10):
        await hand_in(api, guard, came, [s], mock=False)
    facts = await graded(api, incident)
    assert facts[0] == ("incident.arrived", None, first)
    assert len(facts) <= 3
    await hand_in(api, guard, came, [50 + 1], mock=True)
    told = (await shown(api, office.client, incident))["arrivalEvidence"]
    assert (told["grade"], [each["code"] for each in told["reasons"] if each["allows"] == "D"]) == (
        "D",
        ["MOCK"],
    )
    assert (await graded(api, incident))[-1][0] == "incident.arrival_graded"
    assert (await graded(api, incident))[-1][2] == "D"
