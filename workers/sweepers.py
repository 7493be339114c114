"""Sweepers of what falls due by time alone: promise deadlines, ends of pauses, expired idempotent answers."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import incidents, promises
from domain.core import idempotency
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from workers.periodic import Postponement, WorkContext, attempt, attempt_batch, attempt_each

log = structlog.get_logger()

# until an incident that cannot be evaluated is retried; doubled each time
PUT_OFF = timedelta(minutes=10)
PAUSES = 20  # pauses ended per round, before deadlines are evaluated


async def sweep_promises(work: WorkContext, limit: int) -> int:
    """End expired pauses and evaluate due promises; several workers may run this at once."""
    now = datetime.now(UTC)
    resumed = await end_pauses(work.make, now)
    judged = await judge_due(work.make, now, limit)
    return limit if resumed == PAUSES else judged


async def end_pauses(make: Sessions, now: datetime) -> int:
    """End the pauses whose allowance is used up, each alone; return how many were due."""
    async with make() as session:
        due = await incidents.capped_pauses(session, at=now, limit=PAUSES)

    async def resume(session: AsyncSession, incident: Subject) -> None:
        await incidents.end_capped_pauses(session, at=now, only=incident.id)

    await attempt_each(make, "pauses", due, resume)
    return len(due)


async def judge_due(make: Sessions, now: datetime, limit: int) -> int:
    """Evaluate due incidents in one transaction; when that fails, one by one, deferring the incident that fails."""

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
    """Delete stored answers of idempotency keys that are older than a day."""
    async with transaction(work.make) as session:
        return await idempotency.delete_expired(session, at=datetime.now(UTC), limit=limit)
