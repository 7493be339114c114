"""Guards on duty, watched: what their fixes prove is judged within a second, and what time alone brings about, too."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, positions
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.positions import due_duties
from workers.periodic import WorkContext, attempt, attempt_each

log = structlog.get_logger()

DUTIES = 200  # ended before others are judged


async def watch_guards(work: WorkContext, limit: int) -> int:
    """End the duties whose time is over, and judge those of which something came in."""
    late_after = timedelta(minutes=work.settings.late_evidence_minutes)
    at = datetime.now(UTC)
    await end_duties(work.make, at)
    async with work.make() as session:
        due = await due_duties(session, at=at, limit=limit)
    for duty in due:
        await _judge(work.make, duty, late_after)
    return len(due)


async def end_duties(make: Sessions, at: datetime) -> None:
    """End the duties whose time is over, each alone."""
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
    """Make the days to come and drop those past their retention."""
    keep = timedelta(days=work.settings.retain_positions_days)
    at = datetime.now(UTC)
    async with transaction(work.make) as session:
        await positions.ensure_partitions(session, at=at, keep=keep)
        dropped = await positions.drop_partitions(session, at=at, keep=keep)
    if dropped:
        log.info("positions.forgotten", days=dropped)
    return 0
