"""Sweepers of what falls due by time alone: deadlines, ends of pauses, answers that are no longer kept."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency, incidents, sla
from domain.db import Sessions, transaction
from domain.deferral import Subject
from workers.periodic import Postponement, attempt

log = structlog.get_logger()

PUT_OFF = timedelta(
    minutes=10
)  # until an incident that cannot be evaluated is tried again; doubled each time
LOOK_EVERY_S = 0.2  # for deadlines: half of it is how late one falls in a quiet hour
FORGET_EVERY_S = 600.0
TICKETS = 200  # judged in a transaction
ROWS = 200  # answers deleted in a transaction


async def sweep_promises(make: Sessions) -> None:
    """Let time pass over pauses and promises, five times a second, until cancelled; any number may run."""
    await asyncio.to_thread(sla.warm)
    while True:
        now = datetime.now(UTC)
        resumed = await _end_pauses(make, now)
        judged = await _judge(make, now)
        if max(resumed, judged) < TICKETS:
            await asyncio.sleep(LOOK_EVERY_S)


async def _end_pauses(make: Sessions, now: datetime) -> int:
    try:
        async with transaction(make) as session:
            return await incidents.end_capped_pauses(session, at=now, limit=TICKETS)
    except Exception as error:  # deadlines fall whether or not pauses can be ended
        log.exception("pauses.not_ended", error=repr(error))
        return 0


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
