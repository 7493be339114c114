"""Periodic work about patrols: rounds that begin, points that are missed, and rounds that are over."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import patrols
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_rounds(work: WorkContext, limit: int) -> int:
    """Find what follows from time alone for the rounds that are due."""
    return await look_at_due_rounds(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_due_rounds(make: Sessions, *, at: datetime, limit: int = 200) -> int:
    """Look at the rounds that are due, each in its own transaction; return how many were due."""
    async with make() as session:
        due = await patrols.rounds_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, patrol: Subject) -> None:
        await patrols.look_at_round(session, patrol.id, at=at)

    await attempt_each(make, "patrols", due, look)
    return len(due)
