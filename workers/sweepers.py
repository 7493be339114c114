"""Sweepers: they find what is due. A deadline that passed, a consequence that nobody did; also after any downtime."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import structlog

from domain import incidents, outbox, sla
from domain.db import Sessions, transaction
from workers.jobs import Runner
from workers.queue import Queue
from workers.relay import LEASE

log = structlog.get_logger()

EVERY_S = 0.5
TICKETS = 200  # judged in a transaction
ROWS = 200  # outbox rows handed out in a transaction
HANDS = 8  # consequences done right here at a time, while the queue is away


async def sweep_promises(make: Sessions) -> None:
    """Let time pass over pauses and promises, twice a second, until cancelled; any number may run."""
    await asyncio.to_thread(sla.warm)
    while True:
        async with transaction(make) as session:
            now = datetime.now(UTC)
            resumed = await incidents.end_capped_pauses(session, at=now, limit=TICKETS)
            judged = await sla.sweep(session, at=now, limit=TICKETS)
        if max(resumed, judged) < TICKETS:
            await asyncio.sleep(EVERY_S)


async def sweep_outbox(make: Sessions, queue: Queue, runner: Runner) -> None:
    """Hand out again what is due and not done, until cancelled; do it right here while Redis is away."""
    while True:
        async with transaction(make) as session:
            due = await outbox.hand_out(session, at=datetime.now(UTC), lease=LEASE, limit=ROWS)
        try:
            await queue.put(due)
        except Exception as error:  # noqa: BLE001 - whatever ails the queue, the work is in PostgreSQL
            log.warning("queue.away", error=repr(error), due=len(due))
            await _do_here(runner, due)
        if len(due) < ROWS:
            await asyncio.sleep(EVERY_S)


async def _do_here(runner: Runner, due: list[UUID]) -> None:
    turn = asyncio.Semaphore(HANDS)

    async def one(outbox_id: UUID) -> None:
        async with turn:
            await runner.run(outbox_id)

    async with asyncio.TaskGroup() as group:
        for outbox_id in due:
            group.create_task(one(outbox_id))
