"""Late fixes and new fences: what is taken back on tickets, and what stays as it was."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import event, select

from domain import incidents, positions, promises
from domain.access import Actor, Tx
from domain.agreements import PromiseKind
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident, Status
from domain.positions import Kind
from domain.promises import Promise, State
from tests import guards
from tests.build import World
from tests.domain.positions.test_judging import (
    START,
    Step,
    judged,
    on_duty,
    opened,
    spans,
    told,
    walk,
    world,
)
from tests.guards import Guard

__all__ = ["world"]

PASSING: list[Step] = [(0, 500), (100, 10), (110, 10), (120, 500), (150, 500)]  # a stay, it seems
BETWEEN: list[Step] = [(105, 400)]  # no stay, it turns out


class Told(NamedTuple):
    """What a ticket says; instants in seconds."""

    status: Status
    acknowledged: float | None
    arrived: float | None
    response: tuple[State, float | None]
    arrival: tuple[State, float | None]


async def said(make: Sessions, incident_id: UUID) -> Told:
    def since(at: object) -> float | None:
        return None if at is None else (at - START).total_seconds()  # type: ignore[operator]

    async with make() as session:
        row = await session.get_one(Incident, incident_id)
        by_kind = {
            each.kind: (each.state, since(each.stopped_at))
            for each in await session.scalars(
                select(Promise).where(Promise.incident_id == incident_id)
            )
        }
    return Told(
        row.status, since(row.acknowledged_at), since(row.arrived_at),
        by_kind[PromiseKind.FIRST_RESPONSE], by_kind[PromiseKind.ARRIVAL],
    )  # fmt: skip


async def sweep(make: Sessions, incident: Incident, seconds: float) -> None:
    async with transaction(make) as session:
        await promises.sweep(session, at=START + timedelta(seconds=seconds), only=incident.id)


async def fence(make: Sessions, world: World, guard: Guard, s: float, radius_m: float) -> None:
    async with transaction(make) as session:
        await positions.draw_fence(
            Tx(session, Actor.system(world.tenant.id, "test"), START + timedelta(seconds=s)),
            guard.site.id,
            radius_m=radius_m or None,
        )


async def test_an_arrival_that_late_fixes_disprove_is_taken_back_and_its_clock_goes_on(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    await walk(make, guard, PASSING)
    await judged(make, guard, 150)
    kept = (State.KEPT, 100)
    assert await said(make, incident.id) == (Status.ACKNOWLEDGED, 100, 100, kept, kept)
    await walk(make, guard, BETWEEN)
    await judged(make, guard, 160)
    runs = (State.RUNNING, None)
    assert await said(make, incident.id) == (Status.NEW, None, None, runs, runs)
    facts = await told(make, world, "incident.")
    assert facts[-2:] == [
        ("incident.arrival_withdrawn", 100), ("incident.acknowledgement_withdrawn", 100)
    ]  # fmt: skip
    await sweep(make, incident, 8 * 3600)
    late = (State.LATE, None)
    assert await said(make, incident.id) == (Status.NEW, None, None, late, late)


async def test_the_arrival_then_is_when_the_guard_really_came(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    await walk(make, guard, [*PASSING, (400, 10), (410, 10)])
    await judged(make, guard, 410)
    assert (await said(make, incident.id)).arrived == 100
    await walk(make, guard, BETWEEN)
    await judged(make, guard, 420)
    kept = (State.KEPT, 400)
    assert await said(make, incident.id) == (Status.ACKNOWLEDGED, 400, 400, kept, kept)


async def test_what_a_person_did_meanwhile_is_what_took_the_ticket_up(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    await walk(make, guard, PASSING)
    await judged(make, guard, 150)
    async with transaction(make) as session:
        await incidents.start_work(
            Tx(session, world.staff, START + timedelta(seconds=170)), incident.id
        )
    await walk(make, guard, BETWEEN)
    await judged(make, guard, 180)
    assert await said(make, incident.id) == (
        Status.IN_PROGRESS, 170, None, (State.KEPT, 170), (State.RUNNING, None)
    )  # fmt: skip


async def test_what_a_person_said_before_holds_again(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    for act, seconds in ((incidents.acknowledge, 200), (incidents.arrive, 300)):
        async with transaction(make) as session:
            await act(Tx(session, world.staff, START + timedelta(seconds=seconds)), incident.id)
    before = await said(make, incident.id)
    await walk(make, guard, PASSING)
    await judged(make, guard, 310)
    assert (await said(make, incident.id))[1:3] == (100, 100)
    await walk(make, guard, BETWEEN)
    await judged(make, guard, 320)
    assert await said(make, incident.id) == before
    assert before == (Status.ACKNOWLEDGED, 200, 300, (State.KEPT, 200), (State.KEPT, 300))


@pytest.mark.parametrize(("resolved", "arrived"), [(1000, 100), (90, None)])
async def test_a_phone_out_of_reach_tells_of_an_arrival_after_the_ticket_is_done(
    make: Sessions, world: World, resolved: float, arrived: float | None
) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, START + timedelta(seconds=resolved)),
            incident.id,
            resolution="Nothing stolen.",
        )
    await sweep(make, incident, 8 * 3600)
    called_off = (State.CANCELLED, resolved)
    assert (await said(make, incident.id)).arrival == called_off
    await walk(make, guard, PASSING)
    at = START + timedelta(seconds=8 * 3600 + 60)
    await judged(make, guard, 8 * 3600 + 60)
    if arrived is not None:  # nobody had responded in time: a person says whether that counts
        assert (await said(make, incident.id)).arrived is None
        async with transaction(make) as session:
            await positions.decide_late_arrival(
                Tx(session, world.staff, at),
                incident.id,
                START + timedelta(seconds=arrived),
                accept=True,
                reason="The door log says so.",
            )
    now = await said(make, incident.id)
    assert now.arrived == arrived
    assert now.arrival == (called_off if arrived is None else (State.KEPT, arrived))
    assert now.status is Status.RESOLVED


async def test_a_new_fence_changes_nothing_that_was(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 50)
    await walk(make, guard, [*((s, 30) for s in range(60, 200, 10)), (210, 500), (240, 500)])
    await judged(make, guard, 240)
    before = await said(make, incident.id)
    assert before.arrived == 60
    await fence(make, world, guard, 300, 20)
    await walk(make, guard, [(65, 30), (310, 30), (320, 30), (330, 10), (340, 10), (350, 10)])
    await judged(make, guard, 350)
    assert await spans(make, guard, Kind.STAY) == [(60, 210), (330, None)]
    assert await said(make, incident.id) == before
    await fence(make, world, guard, 360, 0)
    await walk(make, guard, [(s, 10) for s in range(370, 420, 10)])
    await judged(make, guard, 420)
    assert await spans(make, guard, Kind.STAY) == [(60, 210), (330, 370)]


async def test_what_a_fence_was_stands_in_the_ledger(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    await fence(make, world, guard, 300, 20)
    async with make() as session:
        fact = (
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.subject_id == guard.site.id, LedgerRow.kind == "site.fenced")
                .order_by(LedgerRow.id.desc())
            )
        ).first()
    assert fact is not None
    assert (fact.body["was_radius_m"], fact.body["radius_m"]) == (50, 20)


async def test_nobody_is_absent_where_nobody_can_tell(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world, radius_m=None, grace_s=600)
    await judged(make, guard, 5000)
    assert await spans(make, guard, Kind.ABSENCE) == []
    await fence(make, world, guard, 5100, 50)
    await judged(make, guard, 5699)
    assert await spans(make, guard, Kind.ABSENCE) == []
    await judged(make, guard, 5710)
    assert await spans(make, guard, Kind.ABSENCE) == [(5700, None)]
    await fence(make, world, guard, 6000, 0)
    await judged(make, guard, 6100)
    assert await spans(make, guard, Kind.ABSENCE) == [(5700, 6000)]


async def test_what_older_fixes_proved_stays_when_they_are_not_kept_any_more(
    make: Sessions, world: World
) -> None:
    guard = await guards.on_duty(
        make, world, from_at=START - timedelta(days=3), until_at=START + timedelta(days=2)
    )
    async with transaction(make) as session:
        await positions.ensure_partitions(session, at=START, keep=timedelta(days=4))
    day = 86_400
    await walk(make, guard, [(s - 3 * day, 10) for s in range(60, 200, 10)])
    await walk(make, guard, [(s - 3 * day, 500) for s in range(210, 300, 10)])
    await judged(make, guard, 300 - 3 * day)
    stay = [(60 - 3 * day, 210 - 3 * day)]
    assert await spans(make, guard, Kind.STAY) == stay
    async with transaction(make) as session:
        await positions.drop_partitions(session, at=START, keep=timedelta(days=2))
    await walk(make, guard, [(100, 10), (110, 10)])
    await judged(make, guard, 110)
    await walk(make, guard, [(90, 10)])
    await judged(make, guard, 120)
    assert (await spans(make, guard, Kind.STAY))[:1] == stay


async def test_tickets_that_others_came_to_are_not_locked_by_a_late_fix(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    for seconds in range(20, 50, 10):
        incident = await opened(make, world, guard, seconds)
        async with transaction(make) as session:
            at = START + timedelta(seconds=seconds + 5)
            await incidents.arrive(Tx(session, world.staff, at), incident.id)
    later = 3_000  # after the time in which fixes support an arrival that somebody reported
    await walk(make, guard, [(later + s, north) for s, north in PASSING])
    await judged(make, guard, later + 150)
    await walk(make, guard, [(later + s, north) for s, north in BETWEEN])
    locked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "FROM incident" in statement and "FOR NO KEY UPDATE" in statement:
            locked.append(statement)

    engine = make.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await judged(make, guard, later + 160)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert await spans(make, guard, Kind.STAY) == []
    assert locked == []


@pytest.mark.parametrize("seed", range(6))
async def test_in_whatever_order_fixes_come_in_the_ticket_says_the_same_in_the_end(
    make: Sessions, world: World, seed: int
) -> None:
    dice = random.Random(seed)
    steps: Sequence[Step] = [
        (10.0 * n, dice.choice([0, 10, 20, 200, 200, 500])) for n in range(1, 40)
    ]
    pieces = [[step for step in steps if dice.random() < 0.5] for _ in range(4)] + [list(steps)]
    straight, crooked = await on_duty(make, world), await on_duty(make, world)
    tickets = [await opened(make, world, guard, 35) for guard in (straight, crooked)]
    await walk(make, straight, steps)
    await judged(make, straight, 500)
    for n, piece in enumerate(pieces):
        await walk(make, crooked, piece)
        await judged(make, crooked, 490 + n)
    await judged(make, crooked, 500)
    assert await spans(make, crooked, Kind.STAY) == await spans(make, straight, Kind.STAY)
    assert await said(make, tickets[1].id) == await said(make, tickets[0].id)
