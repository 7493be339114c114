"""Work about renewals: following the duration of agreements, and the steps of the timeline."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import renewals
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt_each


async def follow_duration(job: JobContext) -> None:
    """Open, move or withdraw the renewal of an agreement when its duration is agreed, or when it ends."""
    await renewals.follow_duration(job.tx, job.fact.subject_id)


async def watch_renewals(work: WorkContext, limit: int) -> int:
    """Raise the steps of renewals that are due."""
    return await look_at_renewals(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_renewals(make: Sessions, *, at: datetime, limit: int = 50) -> int:
    """Look at the renewals with a step that is due, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await renewals.renewals_due(session, at=at, limit=limit)

    async def look(session: AsyncSession, subject: Subject) -> None:
        await renewals.look_at_renewal(session, subject.id, at=at)

    await attempt_each(make, "renewals", due, look)
    return len(due)
