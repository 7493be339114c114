"""What happens at once on one ticket and its surroundings crosses without waiting in a circle."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select

from domain import compensation, incidents, promises
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.incidents import Incident
from domain.promises import Promise, State
from tests import build
from tests.build import T0, minutes

pytestmark = pytest.mark.anyio


async def broken_promise(make: Sessions, world: build.World) -> Promise:
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(90)), ticket.id)
    async with make() as session:
        [row] = await session.scalars(
            select(Promise).where(Promise.incident_id == ticket.id, Promise.state == State.LATE)
        )
    return row


async def test_a_credit_being_decided_holds_up_no_new_ticket_under_the_agreement(
    make: Sessions,
) -> None:
    world = await build.client(make)
    promise = await broken_promise(make, world)
    async with transaction(make) as deciding:
        system = Actor.system(world.tenant.id, "test")
        await compensation.decide(Tx(deciding, system, T0 + minutes(91)), promise.id)
        async with asyncio.timeout(2):
            ticket = await build.incident(make, world)
    assert ticket.opened_at == T0


async def test_updates_credits_and_sweeps_of_one_ticket_at_once_all_come_through(
    make: Sessions,
) -> None:
    world = await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    ticket = await build.incident(make, world, priority=Priority.HIGH)

    async def say(n: int) -> None:
        async with transaction(make) as session:
            await incidents.update(
                Tx(session, world.staff, T0 + minutes(130 * n)), ticket.id, body=f"Update {n}"
            )

    async def decide(promise_id: object) -> None:
        async with transaction(make) as session:
            await compensation.decide(Tx(session, system, T0 + minutes(3_000)), promise_id)  # type: ignore[arg-type]

    async def sweep(at: datetime) -> None:
        async with transaction(make) as session:
            await promises.sweep(session, at=at, limit=50)

    for n in range(1, 8):
        await say(n)
        async with make() as session:
            late = await session.scalars(
                select(Promise.id).where(
                    Promise.incident_id == ticket.id, Promise.state == State.LATE
                )
            )
            ids = late.all()
        now = T0 + minutes(130 * n + 60)
        await asyncio.gather(say(n + 20), *(decide(each) for each in ids), sweep(now), sweep(now))
    async with make() as session:
        lates = await session.scalars(
            select(Promise.id).where(Promise.incident_id == ticket.id, Promise.state == State.LATE)
        )
        paid = await session.scalars(
            select(Credit.promise_id).where(Credit.incident_id == ticket.id)
        )
        row = await session.get_one(Incident, ticket.id)
        assert set(paid) <= set(lates)
        assert row.version >= 1
