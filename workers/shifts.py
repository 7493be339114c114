"""Periodic work about shifts: late starts, no-shows, and shifts that are over."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import shifts
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_shifts(work: WorkContext, limit: int) -> int:
    """Find what follows from time alone for the shifts that are due."""
    return await look_at_due(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_due(make: Sessions, *, at: datetime, limit: int = 200) -> int:
    """Look at the shifts that are due, each in its own transaction; return how many were due."""
    async with make() as session:
        due = await shifts.shifts_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, shift: Subject) -> None:
        await shifts.look_at_shift(session, shift.id, at=at)

    await attempt_each(make, "shifts", due, look)
    return len(due)
