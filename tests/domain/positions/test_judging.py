"""What fixes prove: arrivals, departures, silence and absence, on time, late and in pieces."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain import incidents, positions, privacy
from domain.access import Actor, Role, Tx
from domain.agreements import Priority, PromiseKind, TicketKind
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.incidents import Incident, Source
from domain.positions import DeviceReport, Fix, Kind, Presence, ReceivedFix
from domain.privacy import Person
from domain.promises import Promise, State
from tests import build, guards
from tests.build import World
from tests.domain.privacy.test_privacy import forget
from tests.guards import Guard, near

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEEP = timedelta(days=28)
Step = tuple[float, float]  # seconds since START, metres north of the site


@pytest.fixture
async def world(make: Sessions) -> World:
    """A client of one's own."""
    return await build.client(make)


async def on_duty(make: Sessions, world: World, **how: Any) -> Guard:
    async with transaction(make) as session:
        await positions.ensure_partitions(
            session, at=START + timedelta(days=1), keep=timedelta(days=2)
        )
    return await guards.on_duty(make, world, from_at=START, **how)


async def walk(make: Sessions, guard: Guard, steps: Sequence[Step], accuracy_m: float = 5) -> None:
    """Hand in fixes; nobody has judged them yet."""
    at = START + timedelta(hours=11)
    readings = [
        ReceivedFix(
            at=START + timedelta(seconds=s),
            accuracy_m=accuracy_m,
            lat=near(north)["lat"],
            lon=near(north)["lon"],
        )
        for s, north in steps
    ]
    async with make() as session:
        post = await positions.device_assignment(session, guard.device.id, since=at - KEEP)
    assert post is not None
    report = DeviceReport(post, readings, 1, float("nan"))
    [outcome], _ = await positions.accept(make, [report], {}, at=at, keep=KEEP)
    assert outcome.refused == ()


async def judged(make: Sessions, guard: Guard, seconds: float) -> None:
    async with transaction(make) as session:
        at = START + timedelta(seconds=seconds)
        assert await positions.judge(session, guard.duty.id, at=at)


async def spans(make: Sessions, guard: Guard, kind: Kind) -> list[tuple[float, float | None]]:
    """From and until in seconds since START."""
    async with make() as session:
        rows = await session.scalars(
            select(Presence)
            .where(Presence.duty_id == guard.duty.id, Presence.kind == kind)
            .order_by(Presence.from_at)
        )
        return [
            (_since(row.from_at), _since(row.until_at) if row.until_at else None) for row in rows
        ]


def _since(at: datetime) -> float:
    return (at - START).total_seconds()


async def told(make: Sessions, world: World, prefix: str = "guard.") -> list[tuple[str, float]]:
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind.startswith(prefix))
            .order_by(LedgerRow.id)
        )
        return [(row.kind, _since(row.at)) for row in rows]


THERE_AND_BACK: list[Step] = [
    *((s, 395 - s) for s in range(0, 360, 10)),  # inside 50 m from second 350 on
    *((s, 10) for s in range(360, 900, 10)),
    *((s, s - 890) for s in range(900, 1200, 10)),  # outside by more than 10 m from 960 on
]


async def test_somebody_who_comes_and_goes_is_told_of_at_the_instants_of_the_fixes(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, THERE_AND_BACK)
    await judged(make, guard, 1200)
    assert await spans(make, guard, Kind.STAY) == [(350, 960)]
    facts = [fact for fact in await told(make, world) if fact[0] in {"guard.arrived", "guard.left"}]
    assert facts == [("guard.arrived", 350), ("guard.left", 960)]
    async with make() as session:
        fact = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.tenant_id == world.tenant.id, LedgerRow.kind == "guard.arrived"
            )
        )
    assert fact is not None
    assert fact.body["guard"] == guard.duty.number
    assert len(fact.body["fixes"]) == 2
    assert str(guard.user.id) not in str(fact.body)


@pytest.mark.parametrize("piece", [1, 7, 50])
async def test_judging_in_pieces_comes_to_what_judging_the_whole_comes_to(
    make: Sessions, world: World, piece: int
) -> None:
    whole, parts = await on_duty(make, world), await on_duty(make, world)
    await walk(make, whole, THERE_AND_BACK)
    await judged(make, whole, 2000)
    for start in range(0, len(THERE_AND_BACK), piece):
        some = THERE_AND_BACK[start : start + piece]
        await walk(make, parts, some)
        await judged(make, parts, some[-1][0])
    await judged(make, parts, 2000)
    for kind in Kind:
        assert await spans(make, parts, kind) == await spans(make, whole, kind), kind
    assert await spans(make, whole, Kind.DWELL)


async def test_a_late_batch_revises_what_was_told_too_early(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    early, late = THERE_AND_BACK[:5], THERE_AND_BACK[5:50]
    await walk(make, guard, [*early, *THERE_AND_BACK[50:]])
    await judged(make, guard, 1200)
    assert await spans(make, guard, Kind.STAY) == [(500, 960)]
    await walk(make, guard, late)
    await judged(make, guard, 1300)
    assert await spans(make, guard, Kind.STAY) == [(350, 960)]
    kinds = [kind for kind, _at in await told(make, world)]
    assert kinds.count("guard.arrived") == 1
    assert "guard.revised" in kinds
    assert "guard.retracted" in kinds  # the silence that was none


async def test_a_stray_fix_is_no_arrival_and_one_that_knows_nothing_no_departure(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, [(0, 500), (10, 0), (20, 500), (30, 500)])
    await judged(make, guard, 40)
    assert await spans(make, guard, Kind.STAY) == []
    await walk(make, guard, [(n, 0) for n in range(100, 200, 10)])
    await walk(make, guard, [(n, 90) for n in range(200, 300, 10)], accuracy_m=80)
    await judged(make, guard, 300)
    assert await spans(make, guard, Kind.STAY) == [(100, None)]


async def test_a_device_that_is_not_heard_of_is_silent_until_its_next_fix(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world, silent_after_s=300)
    await walk(make, guard, [(10, 500), (20, 500)])
    await judged(make, guard, 319)
    assert await spans(make, guard, Kind.SILENCE) == []
    await judged(make, guard, 330)
    assert await spans(make, guard, Kind.SILENCE) == [(20, None)]
    await walk(make, guard, [(500, 500)])
    await judged(make, guard, 510)
    assert await spans(make, guard, Kind.SILENCE) == [(20, 500)]
    facts = [(k, at) for k, at in await told(make, world) if k in {"guard.silent", "guard.heard"}]
    assert facts == [("guard.silent", 20), ("guard.heard", 500)]


async def test_who_is_expected_and_not_there_is_absent_from_the_end_of_the_grace(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world, grace_s=600)
    await judged(make, guard, 599)
    assert await spans(make, guard, Kind.ABSENCE) == []
    async with make() as session:
        assert guard.duty.id in await positions.due(session, at=START + timedelta(seconds=601))
    await judged(make, guard, 601)
    assert await spans(make, guard, Kind.ABSENCE) == [(600, None)]
    await walk(make, guard, [(700, 0), (710, 0), (720, 0)])
    await judged(make, guard, 720)
    assert await spans(make, guard, Kind.ABSENCE) == [(600, 700)]


async def test_late_fixes_retract_an_absence_that_was_none(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world, grace_s=600)
    await judged(make, guard, 1000)
    assert await spans(make, guard, Kind.ABSENCE) == [(600, None)]
    await walk(make, guard, [(n, 0) for n in range(100, 1000, 20)])
    await judged(make, guard, 1010)
    assert await spans(make, guard, Kind.ABSENCE) == []
    assert ("guard.retracted", 1010) in await told(make, world)


async def test_a_polygon_is_a_fence_too(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world, radius_m=None)
    corners = [near(100, -30), near(100, 30), near(-20, 30), near(-20, -30)]
    outline = [each[axis] for each in corners for axis in ("lat", "lon")]
    async with transaction(make) as session:
        actor = Actor.system(world.tenant.id, "test")
        await positions.draw_fence(Tx(session, actor, START), guard.site.id, outline=outline)
    await walk(make, guard, [(0, 200), (10, 90), (20, 80), (30, 200), (40, 200), (60, 200)])
    await judged(make, guard, 60)
    assert await spans(make, guard, Kind.STAY) == [(10, 30)]


async def opened(make: Sessions, world: World, guard: Guard, seconds: float) -> Incident:
    async with transaction(make) as session:
        return await incidents.open_incident(
            Tx(session, world.staff, START + timedelta(seconds=seconds)),
            site_id=guard.site.id,
            priority=Priority.CRITICAL,
            summary="Alarm",
            source=Source.ALARM_CENTRE,
            reporter="centre",
            kind=TicketKind.ALARM,
        )


async def arrival(make: Sessions, incident: Incident) -> Promise:
    async with make() as session:
        found = await session.scalar(
            select(Promise).where(
                Promise.incident_id == incident.id, Promise.kind == PromiseKind.ARRIVAL
            )
        )
    assert found is not None
    return found


@pytest.mark.parametrize("piece", [1, 45])
async def test_an_arrival_stops_the_promise_at_the_fix_that_proves_it_and_cites_it(
    make: Sessions, world: World, piece: int
) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 100)
    for start in range(0 if piece > 1 else 33, 45, piece):
        await walk(make, guard, THERE_AND_BACK[start : start + piece])
        await judged(make, guard, THERE_AND_BACK[min(start + piece, 44)][0])
    promise = await arrival(make, incident)
    assert (promise.state, promise.stopped_at) == (State.KEPT, START + timedelta(seconds=350))
    async with make() as session:
        fact = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.subject_id == incident.id, LedgerRow.kind == "incident.arrived"
            )
        )
        proof = await session.scalar(
            select(Presence).where(Presence.duty_id == guard.duty.id, Presence.kind == Kind.STAY)
        )
        assert proof is not None
        first = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.kind == "guard.arrived", LedgerRow.subject_id == proof.id
            )
        )
    assert fact is not None
    assert first is not None
    assert fact.body["presence_id"] == str(proof.id)
    assert len(fact.body["fixes"]) == 2
    assert fact.at == START + timedelta(seconds=350)


async def test_an_arrival_that_comes_in_late_keeps_a_promise_that_was_broken(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    incident = await opened(make, world, guard, 0)
    from domain import promises

    async with transaction(make) as session:
        await promises.sweep(session, at=START + timedelta(hours=8), only=incident.id)
    assert (await arrival(make, incident)).state is State.LATE
    await walk(make, guard, THERE_AND_BACK)
    await judged(make, guard, 8 * 3600 + 60)
    assert (await arrival(make, incident)).state is State.LATE  # until a person says that it counts
    dispatcher = Actor(world.tenant.id, Role.DISPATCHER, "user:dispatcher")
    async with transaction(make) as session:
        await positions.decide_late_arrival(
            Tx(session, dispatcher, START + timedelta(seconds=8 * 3600 + 60)),
            incident.id,
            START + timedelta(seconds=350),
            accept=True,
            reason="The door log says so.",
        )
    promise = await arrival(make, incident)
    assert (promise.state, promise.stopped_at) == (State.KEPT, START + timedelta(seconds=350))
    assert ("promise.revised", 8 * 3600 + 60) in await told(make, world, "promise.revised")


async def test_who_is_there_already_has_arrived_with_the_first_fix_after_the_opening(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, [(n, 0) for n in range(0, 100, 10)])
    await judged(make, guard, 100)
    incident = await opened(make, world, guard, 105)
    await walk(make, guard, [(110, 0), (120, 0)])
    await judged(make, guard, 120)
    assert (await arrival(make, incident)).stopped_at == START + timedelta(seconds=110)


async def test_a_duty_that_ends_ends_what_lasts_without_saying_that_the_guard_left(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, [(n, 0) for n in range(0, 200, 10)])
    await judged(make, guard, 200)
    async with transaction(make) as session:
        at = START + timedelta(seconds=210)
        await positions.end(Tx(session, world.staff, at), guard.duty.id)
    await judged(make, guard, 220)
    assert await spans(make, guard, Kind.STAY) == [(0, 210)]
    assert "guard.left" not in [kind for kind, _at in await told(make, world)]
    async with make() as session:
        due = await positions.due(session, at=START + timedelta(days=1))
    assert guard.duty.id not in due


async def test_a_guard_who_is_forgotten_leaves_no_fixes(make: Sessions, world: World) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, THERE_AND_BACK)
    manager = Actor(world.tenant.id, Role.MANAGEMENT, "user:manager")
    async with transaction(make) as session:
        _, shown = await privacy.export(
            Tx(session, manager, START + timedelta(days=1)), Person.USER, guard.user.id
        )
    assert shown["fixes"]["many"] == len(THERE_AND_BACK)
    assert [each["id"] for each in shown["duties"]] == [str(guard.duty.id)]
    await forget(make, world, Person.USER, guard.user.id)
    async with make() as session:
        left = await session.scalar(
            select(func.count()).select_from(Fix).where(Fix.device_id == guard.device.id)
        )
    assert left == 0
