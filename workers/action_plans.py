"""Action plans: write to the people whose answers led to one, and measure the effect of those that are done."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import action_plans
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt_each


async def tell_action_done(job: JobContext) -> None:
    """Write to the people whose answers led to a plan that is done."""
    await action_plans.tell_done(job.tx, job.fact.subject_id)


async def measure_plans(work: WorkContext, limit: int) -> int:
    """Measure plans with a window after them that is over; return how many there were."""
    return await measure_due(work.make, at=datetime.now(UTC), limit=limit)


async def measure_due(make: Sessions, *, at: datetime, limit: int) -> int:
    """Measure the plans that are due, each in its own transaction; return how many there were."""
    async with make() as session:
        due = await action_plans.plans_to_measure(session, at=at, limit=limit)

    async def measure(session: AsyncSession, subject: Subject) -> None:
        await action_plans.measure_plan(session, subject, at=at)

    await attempt_each(make, action_plans.PART, due, measure)
    return len(due)
