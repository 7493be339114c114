"""Periodic work about replacements: waves of offers, and clocks that start."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import replacements
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_replacements(work: WorkContext, limit: int) -> int:
    """Make the offers that are due."""
    return await look_at_due_replacements(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_due_replacements(make: Sessions, *, at: datetime, limit: int = 50) -> int:
    """Look at the replacements that are due, each in its own transaction; return how many were due."""
    async with make() as session:
        due = await replacements.replacements_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, replacement: Subject) -> None:
        await replacements.look_at_replacement(session, replacement.id, at=at)

    await attempt_each(make, "replacements", due, look)
    return len(due)
