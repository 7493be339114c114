"""The promise sweeper: one ticket that cannot be judged stops no other clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from domain.core.db import Sessions, transaction
from domain.core.deferral import Deferral, deferred
from domain.core.settings import Settings
from domain.promises import Promise, PromiseWatch, State
from tests import build
from workers.periodic import WorkContext, repeat
from workers.schedule import schedule
from workers.sweepers import judge_due

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def unjudgeable(make: Sessions, incident_id: UUID) -> AsyncIterator[None]:
    """A ticket that was promised something no terms know, for the length of a block."""
    its = PromiseWatch.unit_id == incident_id
    async with make() as session:
        promised = await session.scalar(select(PromiseWatch.term_ids).where(its))
    try:
        async with transaction(make) as session:
            await session.execute(update(PromiseWatch).where(its).values(term_ids=[uuid4()]))
        yield
    finally:
        async with transaction(make) as session:
            await session.execute(update(PromiseWatch).where(its).values(term_ids=promised))


async def state(make: Sessions, incident_id: UUID) -> State | None:
    async with make() as session:
        return await session.scalar(
            select(Promise.state).where(
                Promise.incident_id == incident_id, Promise.name == "first_response"
            )
        )


async def test_a_ticket_that_cannot_be_judged_is_put_off_and_the_others_are_judged(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make)
    opened_at = datetime.now(UTC) - timedelta(hours=1)
    bad = await build.incident(make, world, at=opened_at - timedelta(hours=1))
    good = await build.incident(make, world, at=opened_at)
    for each in (bad, good):  # as if the time since had not been looked at yet
        async with transaction(make) as session:
            await session.execute(
                update(PromiseWatch)
                .where(PromiseWatch.unit_id == each.id)
                .values(next_check_at=each.opened_at)
            )
            await session.execute(
                update(Promise)
                .where(Promise.incident_id == each.id)
                .values(state=State.RUNNING, decided_at=None)
            )
    [job] = [each for each in schedule() if each.name == "promises"]
    async with unjudgeable(make, bad.id):
        sweeping = asyncio.create_task(repeat(job, WorkContext(make, settings)))
        async with asyncio.timeout(60):
            while await state(make, good.id) is not State.LATE:  # noqa: ASYNC110 - another process's row
                await asyncio.sleep(0.1)
        sweeping.cancel()
        await asyncio.wait({sweeping})
        async with make() as session:
            again_at = await session.scalar(
                select(PromiseWatch.next_check_at).where(PromiseWatch.unit_id == bad.id)
            )
    assert await state(make, bad.id) is State.RUNNING
    assert again_at is not None
    assert again_at > datetime.now(UTC) + timedelta(minutes=5)

    later = again_at + timedelta(seconds=1)
    while await judge_due(make, later, 200):
        pass

    assert await state(make, bad.id) is State.LATE
    async with make() as session:  # it succeeded, and so nothing waits any more
        assert not await deferred(session, Deferral.subject_id == bad.id)
