"""Periodic work about guards who work alone: welfare checks that were missed."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import lone_workers
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_lone_workers(work: WorkContext, limit: int) -> int:
    """Raise the checks that were missed."""
    return await look_at_due_checks(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_due_checks(make: Sessions, *, at: datetime, limit: int = 100) -> int:
    """Look at the checks that are due, each in its own transaction; return how many were due."""
    async with make() as session:
        due = await lone_workers.checks_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, check: Subject) -> None:
        await lone_workers.look_at_check(session, check.id, at=at)

    await attempt_each(make, "lone workers", due, look)
    return len(due)
