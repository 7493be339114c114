"""Sweepers of what falls due by time alone: deadlines, ends of pauses, answers that are no longer kept."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import incidents, promises
from domain.core import idempotency
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from workers.periodic import Postponement, WorkContext, attempt, attempt_batch, attempt_each

log = structlog.get_logger()

PUT_OFF = timedelta(
    minutes=10
)  # until an incident that cannot be evaluated is tried again; doubled each time
PAUSES = 20  # ended before deadlines have their turn


async def sweep_promises(work: WorkContext, limit: int) -> int:
    """Let time pass over pauses and promises; any number may do so at once."""
    now = datetime.now(UTC)
    resumed = await end_pauses(work.make, now)
    judged = await judge_due(work.make, now, limit)
    return limit if resumed == PAUSES else judged


async def end_pauses(make: Sessions, now: datetime) -> int:
    """End the pauses whose allowance is used up, each alone; returns how many were due."""
    async with make() as session:
        due = await incidents.capped_pauses(session, at=now, limit=PAUSES)

    async def resume(session: AsyncSession, incident: Subject) -> None:
        await incidents.end_capped_pauses(session, at=now, only=incident.id)

    await attempt_each(make, "pauses", due, resume)
    return len(due)


async def judge_due(make: Sessions, now: datetime, limit: int) -> int:
    """Judge what is due together; when that fails, one by one, and put off the ticket that cannot be judged."""

    async def judge(session: AsyncSession) -> int:
        return await promises.sweep(session, at=now, limit=limit)

    judged = await attempt_batch(make, "promises", judge, at=now, limit=limit)
    if judged is not None:
        return judged
    async with make() as session:
        due = await promises.due(session, at=now, limit=limit)
    for incident in due:
        await _judge_one(make, incident, now)
    return len(due)


async def _judge_one(make: Sessions, incident: Subject, now: datetime) -> None:
    async def judge(session: AsyncSession) -> None:
        await promises.sweep(session, at=now, only=incident.id)

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await promises.defer(session, incident.id, until=until)

    await attempt(make, "promises", incident, judge, postponement=Postponement(PUT_OFF, postpone))


async def forget_answers(work: WorkContext, limit: int) -> int:
    """Delete the answers of idempotency keys that are older than a day."""
    async with transaction(work.make) as session:
        return await idempotency.delete_expired(session, at=datetime.now(UTC), limit=limit)
