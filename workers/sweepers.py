"""Sweepers of what falls due by time alone: deadlines, ends of pauses, answers that are no longer kept."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency, incidents, sla
from domain.db import Sessions, transaction
from domain.deferral import Subject
from workers.periodic import Postponement, attempt, attempt_each

log = structlog.get_logger()

PUT_OFF = timedelta(
    minutes=10
)  # until an incident that cannot be evaluated is tried again; doubled each time
LOOK_EVERY_S = 0.2  # for deadlines: half of it is how late one falls in a quiet hour
FORGET_EVERY_S = 600.0
TICKETS = 200  # judged in a transaction
PAUSES = 20  # ended before deadlines have their turn
ROWS = 200  # answers deleted in a transaction


async def sweep_promises(make: Sessions) -> None:
    """Let time pass over pauses and promises, five times a second, until cancelled; any number may run."""
    await asyncio.to_thread(sla.warm)
    while True:
        now = datetime.now(UTC)
        resumed = await end_pauses(make, now)
        judged = await _judge(make, now)
        if resumed < PAUSES and judged < TICKETS:
            await asyncio.sleep(LOOK_EVERY_S)


async def end_pauses(make: Sessions, now: datetime) -> int:
    """End the pauses whose allowance is used up, each alone; returns how many were due."""
    async with make() as session:
        due = await incidents.capped_pauses(session, at=now, limit=PAUSES)

    async def resume(session: AsyncSession, incident: Subject) -> None:
        await incidents.end_capped_pauses(session, at=now, only=incident.id)

    await attempt_each(make, "pauses", due, resume)
    return len(due)


async def _judge(make: Sessions, now: datetime) -> int:
    """Judge what is due together; when that fails, one by one, and put off the ticket that cannot be judged."""
    try:
        async with transaction(make) as session:
            return await sla.sweep(session, at=now, limit=TICKETS)
    except Exception as error:  # noqa: BLE001 - one ticket must not stop the clocks of all companies
        log.warning("promises.one_by_one", error=repr(error))
    async with make() as session:
        due = await sla.due(session, at=now, limit=TICKETS)
    for ticket in due:
        await _judge_one(make, ticket, now)
    return len(due)


async def _judge_one(make: Sessions, ticket: Subject, now: datetime) -> None:
    async def judge(session: AsyncSession) -> None:
        await sla.sweep(session, at=now, only=ticket.id)

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await sla.put_off(session, ticket.id, until=until)

    await attempt(make, "promises", ticket, judge, postponement=Postponement(PUT_OFF, postpone))


async def forget_answers(make: Sessions) -> None:
    """Delete the answers of idempotency keys that are older than a day, every ten minutes, until cancelled."""
    while True:
        async with transaction(make) as session:
            gone = await idempotency.forget(session, at=datetime.now(UTC), limit=ROWS)
        if gone < ROWS:
            await asyncio.sleep(FORGET_EVERY_S)
