"""Periodic work about the RAID log: reviews that become late."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import raid
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_raid(work: WorkContext, limit: int) -> int:
    """Record reviews that became late."""
    return await look_at_reviews(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_reviews(make: Sessions, *, at: datetime, limit: int = 200) -> int:
    """Look at the entries past their review, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await raid.reviews_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, subject: Subject) -> None:
        await raid.look_at_review(session, subject.id, at=at)

    await attempt_each(make, "raid reviews", due, look)
    return len(due)
