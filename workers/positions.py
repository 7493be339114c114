"""Guards on duty, watched: what their fixes prove is judged within a second, and what time alone brings about, too."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, positions
from domain.db import Sessions, transaction
from domain.deferral import Subject
from domain.positions.judging import due_duties
from domain.settings import Settings
from workers.periodic import attempt, attempt_each

log = structlog.get_logger()

EVERY_S = 0.5
DUTIES = 200  # looked up at a time
DAYS_EVERY_S = 3600.0


async def watch_guards(make: Sessions, settings: Settings) -> None:
    """Judge duties of which something came in, and end those whose time is over, twice a second, until cancelled."""
    late_after = timedelta(minutes=settings.late_evidence_minutes)
    await asyncio.to_thread(positions.warm)
    while True:
        at = datetime.now(UTC)
        await end_duties(make, at)
        async with make() as session:
            due = await due_duties(session, at=at, limit=DUTIES)
        for duty in due:
            await _judge(make, duty, late_after)
        if len(due) < DUTIES:
            await asyncio.sleep(EVERY_S)


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


async def keep_days(make: Sessions, settings: Settings) -> None:
    """Make the days to come and drop those past their retention, once an hour, until cancelled."""
    keep = timedelta(days=settings.retain_positions_days)
    while True:
        at = datetime.now(UTC)
        async with transaction(make) as session:
            await positions.have_days(session, at=at, keep=keep)
            dropped = await positions.forget(session, at=at, keep=keep)
        if dropped:
            log.info("positions.forgotten", days=dropped)
        await asyncio.sleep(DAYS_EVERY_S)
