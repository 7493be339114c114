"""A worker as a process: it stops when told, finishes what it has begun, and gives way when it is frozen."""

import asyncio
import signal
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from domain.core.db import Sessions
from domain.core.ledger import LedgerRow
from domain.core.settings import Settings
from domain.messages import Message, MessageState
from tests import build, facts, servers
from tests.journeys.watching import Workers
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio


async def numbered(make: Sessions, entry: LedgerRow, *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while True:
            async with make() as session:
                if await session.scalar(select(LedgerRow.seq).where(LedgerRow.id == entry.id)):
                    return
            await asyncio.sleep(0.05)


async def test_a_worker_that_is_told_to_stop_finishes_the_letter_it_has_begun(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make, contacts=1)
    with servers.postbox() as box:
        box.stall_s = 3.0
        workers = Workers(
            settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": box.port})
        )
        process = workers.start()
        await build.incident(make, world, at=datetime.now(UTC))
        assert await asyncio.to_thread(box.stalled.wait, 60)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 30)
        workers.kill()
    async with make() as session:
        [state] = await session.scalars(
            select(Message.state).where(Message.account_id == world.account.id)
        )
    assert (code, state, len(box.letters)) == (0, MessageState.SENT, 1)


async def test_a_worker_stops_every_time_it_is_told(make: Sessions, working: Working) -> None:
    whom = await facts.client(make)
    for n in range(12):  # a lost cancellation showed in 1 of 40 stops
        async with working():
            await facts.note(make, whom, n)
            await asyncio.sleep(0.05 * n)


@pytest.mark.slow
async def test_a_frozen_leader_loses_the_lead_to_another_worker(
    make: Sessions, settings: Settings
) -> None:
    workers = Workers(settings)
    try:
        first = workers.start()
        whom = await facts.client(make)
        [entry] = await facts.note(make, whom, 1)
        await numbered(make, entry, within_s=60)
        workers.start()
        first.send_signal(signal.SIGSTOP)
        [entry] = await facts.note(make, whom, 2)
        await numbered(make, entry, within_s=40)  # PostgreSQL ends the silent session after 15 s
        first.send_signal(signal.SIGCONT)
        [entry] = await facts.note(make, whom, 3)
        await numbered(make, entry, within_s=10)
        assert first.poll() is None
    finally:
        workers.kill()
