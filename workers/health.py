"""Health jobs: mark accounts when facts come, and compute the health of those that are due."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain import health
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import Postponement, WorkContext, attempt

AGAIN = timedelta(minutes=1)  # until a failed computation is retried; doubled each time


async def mark_health(job: JobContext) -> None:
    """Have the health of the fact's account computed; of every account for a parameter of the company."""
    fact = job.fact
    if fact.kind.startswith("parameter."):
        if not fact.body["name"].startswith(health.PARAMETER_PREFIX):
            return
        if fact.account_id is None:
            await health.mark_company(job.session, fact.tenant_id, at=job.at)
            return
    if fact.account_id is not None:
        await health.mark(job.session, fact.tenant_id, fact.account_id, at=job.at)


async def sweep_health(work: WorkContext, limit: int) -> int:
    """Compute the accounts that are due; several workers may run this at once, because accounts are leased."""
    return await compute_due(work.make, at=datetime.now(UTC), limit=limit)


async def compute_due(make: Sessions, *, at: datetime, limit: int = 20) -> int:
    """Compute the accounts that are due, each in its own transaction; return how many there were."""
    async with transaction(make) as session:
        await health.mark_missing(session, at=at, limit=limit)
        taken = await health.claim_due(session, at=at, limit=limit)
    for each in taken:
        await _try(make, each, at)
    return len(taken)


async def _try(make: Sessions, taken: health.ClaimedHealth, at: datetime) -> None:
    async def work(session: AsyncSession) -> None:
        await health.recompute(session, taken, at=at)

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await health.defer(session, taken, until=until)

    await attempt(
        make,
        "health",
        Subject(taken.tenant_id, taken.account_id),
        work,
        postponement=Postponement(AGAIN, postpone),
    )
