"""Promises on the clock: what the rows and the ledger say after every turn of a ticket."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import agreements, calendars, incidents, promises
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TicketKind
from domain.calendars import CalendarSpec
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident, PauseCause
from domain.promises import Promise, State
from tests import build
from tests.build import T0, minutes

pytestmark = pytest.mark.anyio


async def promise_rows(make: Sessions, ticket: Incident, name: str) -> list[Promise]:
    async with make() as session:
        found = await session.scalars(
            select(Promise)
            .where(Promise.incident_id == ticket.id, Promise.name == name)
            .order_by(Promise.part)
        )
        return list(found)


async def facts_of(make: Sessions, promise: Promise) -> list[str]:
    async with make() as session:
        found = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == promise.id).order_by(LedgerRow.id)
        )
        return list(found)


async def sweep(make: Sessions, at: datetime) -> None:
    """Until nothing is due: tests share a database, so others' tickets may be due as well."""
    while True:
        async with transaction(make) as session:
            if not await promises.sweep(session, at=at):
                return


async def act(
    make: Sessions, action: Any, actor: Actor, ticket_id: UUID, *, at: datetime, **how: Any
) -> None:
    async with transaction(make) as session:
        await action(Tx(session, actor, at), ticket_id, **how)


async def test_opening_a_ticket_starts_the_promises_that_hold_for_it(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with make() as session:
        rows = list(
            await session.scalars(
                select(Promise).where(Promise.incident_id == ticket.id).order_by(Promise.name)
            )
        )
    assert [(row.name, row.state, row.due_at) for row in rows] == [
        ("first_response", State.RUNNING, T0 + minutes(15)),
        ("next_update", State.RUNNING, T0 + minutes(30)),
        ("resolution", State.RUNNING, T0 + minutes(120)),
        ("resolution_objective", State.RUNNING, T0 + minutes(60)),
    ]


async def test_a_late_acknowledgement_is_judged_late_at_the_instant_the_target_was_exceeded(
    make: Sessions,
) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    await act(make, incidents.acknowledge, world.staff, ticket.id, at=T0 + minutes(20))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.decided_at) == (State.LATE, T0 + minutes(15))
    assert (row.elapsed_us, row.stopped_at) == (20 * 60_000_000, T0 + minutes(20))
    assert await facts_of(make, row) == ["promise.started", "promise.breached"]


async def test_stopping_on_the_limit_is_in_time(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    await act(make, incidents.acknowledge, world.staff, ticket.id, at=T0 + minutes(15))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.decided_at) == (State.KEPT, T0 + minutes(15))


async def test_the_sweeper_warns_then_judges_without_anybody_acting(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    for passed in (7.5, 11.25, 13.5):
        await sweep(make, T0 + minutes(passed))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.warned) == (State.AT_RISK, 3)
    await sweep(make, T0 + minutes(16))
    await sweep(make, T0 + minutes(16))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.stopped_at) == (State.LATE, None)
    assert await facts_of(make, row) == [
        "promise.started",
        "promise.at_risk",
        "promise.at_risk",
        "promise.at_risk",
        "promise.breached",
    ]


async def test_a_sweeper_that_was_down_catches_up_with_the_right_instant(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    await sweep(make, T0 + minutes(600))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.decided_at) == (State.LATE, T0 + minutes(15))


async def test_paused_time_does_not_count_and_survives_a_change_of_priority(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    await act(
        make,
        incidents.pause,
        world.staff,
        ticket.id,
        cause=PauseCause.ACCESS_DENIED,
        at=T0 + minutes(5),
    )
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.due_at) == (State.PAUSED, None)
    await act(make, incidents.resume, world.staff, ticket.id, at=T0 + minutes(65))
    await act(
        make,
        incidents.change_priority,
        world.staff,
        ticket.id,
        priority=Priority.CRITICAL,
        reason="Alarm",
        at=T0 + minutes(66),
    )
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.priority, row.due_at) == (Priority.CRITICAL, T0 + minutes(75))
    await act(make, incidents.acknowledge, world.staff, ticket.id, at=T0 + minutes(75))
    [row] = await promise_rows(make, ticket, "first_response")
    assert (row.state, row.elapsed_us) == (State.KEPT, 15 * 60_000_000)
    assert row.paused_us == 60 * 60_000_000


async def test_every_update_of_ours_starts_a_new_interval_and_the_clients_does_not(
    make: Sessions,
) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    for who, at in ((world.staff, 20), (world.client, 30), (world.staff, 55)):
        await act(make, incidents.update, who, ticket.id, body="News", at=T0 + minutes(at))
    rows = await promise_rows(make, ticket, "next_update")
    assert [(row.part, row.state, row.started_at) for row in rows] == [
        (0, State.KEPT, T0),
        (1, State.LATE, T0 + minutes(20)),
        (2, State.RUNNING, T0 + minutes(55)),
    ]


async def test_a_reopened_ticket_is_undecided_again_and_says_so(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    await act(
        make, incidents.resolve, world.staff, ticket.id, resolution="Done", at=T0 + minutes(60)
    )
    await act(make, incidents.reopen, world.client, ticket.id, reason="No", at=T0 + minutes(90))
    [row] = await promise_rows(make, ticket, "resolution")
    assert (row.state, row.due_at) == (State.RUNNING, T0 + minutes(240 + 30))
    assert await facts_of(make, row) == ["promise.started", "promise.kept", "promise.revised"]


async def test_a_ticket_keeps_the_terms_that_held_when_it_was_opened(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    strict = PromiseDraft(
        "first_response",
        PromiseKind.FIRST_RESPONSE,
        world.calendar.id,
        {Priority.CRITICAL: Target(elapsed_s=60)},
    )
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, world.staff.system(world.tenant.id, "test"), T0),
            world.agreement.id,
            in_force_from=T0 + minutes(5),
            terms=build.terms_draft(world.calendar, [strict]),
        )
    await act(make, incidents.acknowledge, world.staff, ticket.id, at=T0 + minutes(10))
    later = await build.incident(make, world, at=T0 + minutes(6))
    await act(make, incidents.acknowledge, world.staff, later.id, at=T0 + minutes(10))
    [old], [new] = [await promise_rows(make, t, "first_response") for t in (ticket, later)]
    assert (old.state, new.state) == (State.KEPT, State.LATE)


async def test_a_deadline_on_working_hours_skips_the_weekend_and_a_holiday(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        actor = world.staff.system(world.tenant.id, "test")
        office = await calendars.define(
            Tx(session, actor, T0),
            name="office",
            spec=CalendarSpec.from_dict(
                {
                    "zone": "Europe/Amsterdam",
                    "hours": {
                        day: [["09:00", "12:00"], ["13:00", "17:00"]]
                        for day in ("mon", "tue", "wed", "thu", "fri")
                    },
                    "country": "NL",
                }
            ),
        )
        promise = PromiseDraft(
            "first_response",
            PromiseKind.FIRST_RESPONSE,
            office.id,
            {Priority.LOW: Target(elapsed_s=2 * 3600), Priority.HIGH: Target(business_days=1)},
        )
        await agreements.amend(
            Tx(session, actor, T0),
            world.agreement.id,
            in_force_from=datetime.fromisoformat("2026-04-01T00:00Z"),
            terms=build.terms_draft(office, [promise]),
        )
    friday = datetime.fromisoformat("2026-04-03T14:00Z")  # 16:00; Good Friday, then Easter Monday
    low = await build.incident(make, world, priority=Priority.LOW, at=friday)
    high = await build.incident(make, world, priority=Priority.HIGH, at=friday)
    [slow], [day] = [await promise_rows(make, t, "first_response") for t in (low, high)]
    assert slow.due_at is not None
    assert day.due_at is not None
    assert slow.due_at.isoformat() == "2026-04-07T09:00:00+00:00"
    assert day.due_at.date().isoformat() == "2026-04-08"


async def test_two_sweepers_at_once_tell_a_breach_once(make: Sessions) -> None:
    world = await build.client(make)
    tickets = [await build.incident(make, world) for _ in range(5)]
    async with transaction(make) as one, transaction(make) as two:
        await promises.sweep(one, at=T0 + minutes(16), limit=10_000)
        await promises.sweep(two, at=T0 + minutes(16), limit=10_000)
    for ticket in tickets:
        [row] = await promise_rows(make, ticket, "first_response")
        assert (await facts_of(make, row)).count("promise.breached") == 1


async def test_an_agreed_date_waits_then_judges(make: Sessions) -> None:
    world = await build.client(make)
    dated = PromiseDraft(
        "agreed_date",
        PromiseKind.AGREED_DATE,
        world.calendar.id,
        {priority: Target(elapsed_s=0) for priority in Priority},
        ticket_kinds=(TicketKind.MAINTENANCE,),
    )
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, world.staff.system(world.tenant.id, "test"), T0),
            world.agreement.id,
            in_force_from=datetime.fromisoformat("2026-02-01T00:00Z"),
            terms=build.terms_draft(world.calendar, [dated]),
        )
    early, late = [
        await build.incident(make, world, kind=TicketKind.MAINTENANCE, agreed_at=T0 + minutes(100))
        for _ in range(2)
    ]
    [row] = await promise_rows(make, early, "agreed_date")
    assert (row.state, row.due_at) == (State.PENDING, T0 + minutes(100))
    await act(make, incidents.resolve, world.staff, early.id, resolution="Ok", at=T0 + minutes(50))
    await sweep(make, T0 + minutes(101))
    await act(make, incidents.resolve, world.staff, late.id, resolution="Ok", at=T0 + minutes(120))
    [kept], [broken] = [await promise_rows(make, t, "agreed_date") for t in (early, late)]
    assert (kept.state, broken.state) == (State.KEPT, State.LATE)
    assert kept.decided_at == T0 + minutes(100)
