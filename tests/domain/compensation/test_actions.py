"""Credits: what the schedule says, once, never above the month's cap."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import compensation, incidents
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.promises import Promise, State
from tests import build
from tests.build import T0, minutes

pytestmark = pytest.mark.anyio


async def late(make: Sessions, world: build.World, priority: Priority) -> Promise:
    ticket = await build.incident(make, world, priority=priority)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(300)), ticket.id)
    async with make() as session:
        [row] = await session.scalars(
            select(Promise).where(
                Promise.incident_id == ticket.id, Promise.name == "first_response"
            )
        )
    assert row.state is State.LATE
    return row


async def decide(make: Sessions, world: build.World, promise_id: UUID) -> Credit | None:
    async with transaction(make) as session:
        actor = Actor.system(world.tenant.id, "test")
        return await compensation.decide(Tx(session, actor, T0 + minutes(301)), promise_id)


async def test_the_priority_s_own_rule_wins_over_the_general_one(make: Sessions) -> None:
    world = await build.client(make, period_fee_cents=333_330)
    critical = await late(make, world, Priority.CRITICAL)
    high = await late(make, world, Priority.HIGH)
    share, fixed = await decide(make, world, critical.id), await decide(make, world, high.id)
    assert share is not None
    assert fixed is not None
    assert (share.amount_cents, fixed.amount_cents) == (16_667, 5_000)  # 5 % of 3,333.30 is 166.665


async def test_deciding_twenty_times_at_once_grants_one_credit(make: Sessions) -> None:
    world = await build.client(make)
    promise = await late(make, world, Priority.HIGH)
    answers = await asyncio.gather(*(decide(make, world, promise.id) for _ in range(20)))
    assert len([credit for credit in answers if credit is not None]) == 1
    async with make() as session:
        rows = await session.scalars(select(Credit).where(Credit.promise_id == promise.id))
        assert len(rows.all()) == 1


async def test_the_month_s_cap_is_never_exceeded_also_when_many_decide_at_once(
    make: Sessions,
) -> None:
    world = await build.client(make, credit_cap_cents=12_000)
    broken = [await late(make, world, Priority.HIGH) for _ in range(4)]
    await asyncio.gather(*(decide(make, world, promise.id) for promise in broken))
    async with make() as session:
        rows = await session.scalars(
            select(Credit).where(Credit.agreement_id == world.agreement.id)
        )
        amounts = sorted(credit.amount_cents for credit in rows)
    assert amounts == [0, 2_000, 5_000, 5_000]


async def test_a_kept_promise_and_an_internal_objective_earn_nothing(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(90)), ticket.id, resolution="Done"
        )
    async with make() as session:
        rows = {
            row.name: row
            for row in await session.scalars(
                select(Promise).where(Promise.incident_id == ticket.id)
            )
        }
    assert rows["resolution"].state is State.KEPT
    assert rows["resolution_objective"].state is State.LATE
    assert await decide(make, world, rows["resolution"].id) is None
    assert await decide(make, world, rows["resolution_objective"].id) is None


async def test_another_tenants_promise_earns_nothing(make: Sessions) -> None:
    ours, theirs = await build.client(make), await build.client(make)
    promise = await late(make, theirs, Priority.HIGH)
    assert await decide(make, ours, promise.id) is None
