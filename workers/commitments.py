"""Periodic work about commitments: those that become late."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import commitments
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_commitments(work: WorkContext, limit: int) -> int:
    """Record commitments that became late."""
    return await look_at_due(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_due(make: Sessions, *, at: datetime, limit: int = 200) -> int:
    """Look at the commitments past their due time, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await commitments.commitments_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, subject: Subject) -> None:
        await commitments.look_at_commitment(session, subject.id, at=at)

    await attempt_each(make, "commitments", due, look)
    return len(due)
