"""Presence of guards: evaluates their fixes within a second, ends expired shifts, maintains the daily partitions."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, positions
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.positions import due_duties
from workers.periodic import WorkContext, attempt, attempt_each

log = structlog.get_logger()

DUTIES = 200  # shifts ended per round, before presence is evaluated


async def watch_guards(work: WorkContext, limit: int) -> int:
    """End expired shifts and evaluate the shifts with new fixes."""
    late_after = timedelta(minutes=work.settings.late_evidence_minutes)
    at = datetime.now(UTC)
    await end_duties(work.make, at)
    async with work.make() as session:
        due = await due_duties(session, at=at, limit=limit)
    for duty in due:
        await _judge(work.make, duty, late_after)
    return len(due)


async def end_duties(make: Sessions, at: datetime) -> None:
    """End expired shifts, each in its own transaction."""
    async with make() as session:
        over = await duties.overdue(session, at=at, limit=DUTIES)

    async def end(session: AsyncSession, duty: Subject) -> None:
        await positions.end_overdue(session, at=at, only=duty.id)

    await attempt_each(make, "duties", over, end)


async def _judge(make: Sessions, duty: Subject, late_after: timedelta) -> None:
    async def judge(session: AsyncSession) -> None:
        at = datetime.now(UTC)
        await positions.judge(session, duty.id, at=at, late_after=late_after)

    await attempt(make, "positions", duty, judge)


async def keep_days(work: WorkContext, _limit: int) -> int:
    """Create the partitions of coming days and drop those past their retention."""
    keep = timedelta(days=work.settings.retain_positions_days)
    at = datetime.now(UTC)
    async with transaction(work.make) as session:
        await positions.ensure_partitions(session, at=at, keep=keep)
        dropped = await positions.drop_partitions(session, at=at, keep=keep)
    if dropped:
        log.info("positions.forgotten", days=dropped)
    return 0
