"""A duty that begins by the mere passing of time is a fact, once; and a fence counts from when it is drawn."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import duties, positions
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.positions import Kind
from tests import build
from tests.build import World
from tests.domain.positions.test_judging import START, judged, on_duty, spans, walk


@pytest.fixture
async def world(make: Sessions) -> World:
    """A client of one's own."""
    return await build.client(make)


async def told(make: Sessions, duty_id: UUID) -> list[tuple[str, float]]:
    """What the ledger says of a duty, in order, with seconds since START."""
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow).where(LedgerRow.subject_id == duty_id).order_by(LedgerRow.id)
        )
        return [
            (row.kind, (row.at - START).total_seconds())
            for row in rows
            if row.kind != "duty.assigned"
        ]


async def is_due(make: Sessions, duty_id: UUID, seconds: float) -> bool:
    async with make() as session:
        return duty_id in await positions.due(session, at=START + timedelta(seconds=seconds))


async def end(make: Sessions, world: World, duty_id: UUID, seconds: float) -> None:
    async with transaction(make) as session:
        await positions.end(Tx(session, world.staff, START + timedelta(seconds=seconds)), duty_id)


async def test_a_beginning_is_told_once_however_often_the_duty_is_judged(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    assert await is_due(make, guard.duty.id, 0)
    assert not await is_due(make, guard.duty.id, -1)
    await judged(make, guard, 0.2)
    await walk(make, guard, [(100, 0), (110, 0)])
    await judged(make, guard, 120)
    await walk(make, guard, [(50, 500), (60, 500)])
    await judged(make, guard, 130)
    await end(make, world, guard.duty.id, 140)
    await walk(make, guard, [(30, 500)])
    await judged(make, guard, 150)
    assert await told(make, guard.duty.id) == [("duty.began", 0), ("duty.ended", 140)]


async def test_a_duty_that_was_over_before_anybody_noticed_has_only_its_end(
    make: Sessions, world: World
) -> None:
    over, cancelled = await on_duty(make, world), await on_duty(make, world)
    await end(make, world, cancelled.duty.id, -100)
    async with transaction(make) as session:
        await positions.end_overdue(session, at=START + timedelta(days=1))
    for guard in (over, cancelled):
        await judged(make, guard, 86_400)
    assert await told(make, over.duty.id) == [("duty.ended", 43_200)]
    assert await told(make, cancelled.duty.id) == [("duty.ended", 0)]


async def test_a_fix_of_a_clock_that_runs_fast_does_not_swallow_the_beginning(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    await walk(make, guard, [(5, 0)])
    await judged(make, guard, -60)
    assert await told(make, guard.duty.id) == []
    assert not await is_due(make, guard.duty.id, -1)
    assert await is_due(make, guard.duty.id, 0)
    await judged(make, guard, 0.2)
    assert await told(make, guard.duty.id) == [("duty.began", 0)]


async def test_who_judges_a_duty_does_not_wait_for_who_ends_it(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world)
    async with asyncio.timeout(60), transaction(make) as ending:
        await duties.end(Tx(ending, world.staff, START + timedelta(seconds=9)), guard.duty.id)
        await judged(make, guard, 9)
    await judged(make, guard, 10)
    assert await told(make, guard.duty.id) == [("duty.ended", 9)]


async def test_who_is_silent_is_judged_by_a_fence_as_soon_as_it_is_drawn(
    make: Sessions, world: World
) -> None:
    guard = await on_duty(make, world, radius_m=None, grace_s=600)
    await judged(make, guard, 400)
    assert await spans(make, guard, Kind.SILENCE) == [(0, None)]
    assert not await is_due(make, guard.duty.id, 40_000)
    async with transaction(make) as session:
        system = Actor.system(world.tenant.id, "test")
        at = START + timedelta(seconds=1000)
        await positions.draw_fence(Tx(session, system, at), guard.site.id, radius_m=50)
    assert await is_due(make, guard.duty.id, 1000)
    await judged(make, guard, 1000)
    assert await is_due(make, guard.duty.id, 1601)
    await judged(make, guard, 1601)
    assert await spans(make, guard, Kind.ABSENCE) == [(1600, None)]
