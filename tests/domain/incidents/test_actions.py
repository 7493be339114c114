"""A ticket's life: what may follow what, what is refused, and what the ledger says afterwards."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import incidents
from domain.access import Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.incidents import Incident, Pause, PauseCause, Source, Status
from tests import build

pytestmark = pytest.mark.anyio


async def kinds(make: Sessions, incident: Incident) -> list[str]:
    async with make() as session:
        found = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == incident.id).order_by(LedgerRow.id)
        )
        return list(found)


async def test_a_ticket_goes_from_new_to_closed_and_every_step_is_a_fact(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    at = build.T0
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, at + build.minutes(5)), ticket.id)
        await incidents.start_work(Tx(session, world.staff, at + build.minutes(6)), ticket.id)
        await incidents.arrive(Tx(session, world.staff, at + build.minutes(12)), ticket.id)
        await incidents.update(
            Tx(session, world.staff, at + build.minutes(20)), ticket.id, body="Glazier on the way"
        )
        await incidents.resolve(
            Tx(session, world.staff, at + build.minutes(50)), ticket.id, resolution="Boarded up"
        )
        done = await incidents.close(Tx(session, world.staff, at + build.minutes(60)), ticket.id)
    assert done.status is Status.CLOSED
    assert incidents.times(done) == (300, 720, 3000)
    assert incidents.first_contact_resolution(done) is True
    assert await kinds(make, ticket) == [
        "incident.opened",
        "incident.acknowledged",
        "incident.work_started",
        "incident.arrived",
        "incident.updated",
        "incident.resolved",
        "incident.closed",
    ]


async def test_a_second_acknowledgement_is_refused_and_changes_nothing(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, build.T0), ticket.id)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.acknowledge(Tx(session, world.staff, build.T0), ticket.id)
    assert no.value.refusal.code is Code.INCIDENT_NOT_NEW
    assert await kinds(make, ticket) == ["incident.opened", "incident.acknowledged"]


async def test_a_stale_version_is_refused_as_retryable(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.acknowledge(
            Tx(session, world.staff, build.T0), ticket.id, expected_version=ticket.version
        )
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.resolve(
                Tx(session, world.staff, build.T0),
                ticket.id,
                resolution="Done",
                expected_version=ticket.version,
            )
    assert (no.value.refusal.code, no.value.refusal.retryable) == (Code.STALE_VERSION, True)


async def test_another_tenants_ticket_does_not_exist(make: Sessions) -> None:
    ours, theirs = await build.client(make), await build.client(make)
    ticket = await build.incident(make, theirs)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.acknowledge(Tx(session, ours.staff, build.T0), ticket.id)
    assert no.value.refusal.code is Code.NOT_FOUND


async def test_a_client_reports_and_reopens_but_does_not_acknowledge(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        ticket = await incidents.open_incident(
            Tx(session, world.client, build.T0),
            site_id=world.site.id,
            priority=Priority.HIGH,
            summary="Gate stands open",
            source=Source.CLIENT,
            reporter="Client",
        )
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.acknowledge(Tx(session, world.client, build.T0), ticket.id)
    assert no.value.refusal.code is Code.NOT_ALLOWED
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, build.T0 + build.minutes(9)), ticket.id, resolution="Closed it"
        )
        again = await incidents.reopen(
            Tx(session, world.client, build.T0 + build.minutes(30)), ticket.id, reason="Open again"
        )
    assert (again.status, again.reopened_count, again.resolved_at) == (Status.IN_PROGRESS, 1, None)
    async with make() as session:
        told = select(LedgerRow.body).where(LedgerRow.kind == "incident.reopened")
        body = await session.scalar(told.where(LedgerRow.subject_id == ticket.id))
    assert body is not None
    assert (body["outcome_before"], body["closed_at_before"]) == ("solved", None)
    ended_at = datetime.fromisoformat(body["resolved_at_before"])
    assert ended_at == build.T0 + build.minutes(9)


async def test_a_pause_needs_a_cause_and_gives_the_status_back(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.start_work(Tx(session, world.staff, build.T0), ticket.id)
        held = await incidents.pause(
            Tx(session, world.staff, build.T0 + build.minutes(10)),
            ticket.id,
            cause=PauseCause.ACCESS_DENIED,
            note="Key holder on the way",
        )
        assert held.status is Status.PAUSED
        running = await incidents.resume(
            Tx(session, world.staff, build.T0 + build.minutes(40)), ticket.id
        )
    assert running.status is Status.IN_PROGRESS


async def test_pauses_are_capped_and_end_by_themselves_at_the_cap(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.pause(
            Tx(session, world.staff, build.T0), ticket.id, cause=PauseCause.WAITING_ON_CLIENT
        )
    later = build.T0 + incidents.PAUSE_ALLOWANCE + timedelta(hours=3)
    ended = 1
    while ended:  # other tests of this database may have pauses to end, too
        async with transaction(make) as session:
            ended = await incidents.end_capped_pauses(session, at=later)
    async with make() as session:
        [pause] = await session.scalars(select(Pause).where(Pause.incident_id == ticket.id))
    assert pause.until_at == build.T0 + incidents.PAUSE_ALLOWANCE
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.pause(
                Tx(session, world.staff, later), ticket.id, cause=PauseCause.FORCE_MAJEURE
            )
    assert no.value.refusal.code is Code.PAUSES_USED_UP


async def test_an_instant_before_the_opening_is_refused(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await incidents.acknowledge(
                Tx(session, world.staff, build.T0 - build.minutes(1)), ticket.id
            )
    assert no.value.refusal.code is Code.TIME_REVERSED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("summary", " "),
        ("summary", "x" * 301),
        ("summary", "Window\r\nBcc: everybody@example.com"),
        ("reporter", "a\x00b"),
        ("external_id", "x" * 10_000),
        ("agreed_at", build.T0 - timedelta(minutes=1)),
        ("agreed_at", datetime(1, 1, 1, tzinfo=UTC)),
        ("agreed_at", datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
async def test_a_ticket_with_a_value_that_cannot_be_is_refused(
    make: Sessions, field: str, value: Any
) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as no:
        await build.incident(make, world, **{field: value})
    assert no.value.refusal.code is Code.INVALID


async def test_a_resumption_that_read_the_clock_before_the_pause_ends_it_where_it_began(
    make: Sessions,
) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    cause = PauseCause.ACCESS_DENIED
    async with transaction(make) as session:
        await incidents.pause(
            Tx(session, world.staff, build.T0 + build.minutes(2)), ticket.id, cause=cause
        )
    async with transaction(make) as session:
        await incidents.resume(Tx(session, world.staff, build.T0 + build.minutes(1)), ticket.id)
    async with make() as session:
        [pause] = await session.scalars(select(Pause).where(Pause.incident_id == ticket.id))
    assert pause.until_at == pause.from_at == build.T0 + build.minutes(2)
