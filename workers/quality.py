"""Quality jobs: measure accounts soon after verdicts, write the Parquet files of sealed months."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import archive, quality
from domain.archive import parquet
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.promises import PromiseWatch
from workers.jobs import JobContext
from workers.periodic import Postponement, WorkContext, attempt

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # until a failed measurement is retried; doubled each time


async def mark_quality(context: JobContext) -> None:
    """Schedule a measurement of the account. A unit's verdicts all fall after it began."""
    body = context.fact.body
    unit_id = UUID(body.get("incident_id") or body["unit_id"])
    watch = (
        await context.session.scalars(select(PromiseWatch).where(PromiseWatch.unit_id == unit_id))
    ).one()
    await quality.mark(
        context.session,
        context.fact.tenant_id,
        watch.account_id,
        dirty_from=watch.began_at,
        at=context.at,
    )


async def sweep_quality(work: WorkContext, limit: int) -> int:
    """Measure the accounts that are due; several workers may run this at once, because accounts are leased."""
    async with transaction(work.make) as session:
        taken = await quality.claim_due(session, at=datetime.now(UTC), limit=limit)
    for each in taken:
        await _try_to_measure(work.make, each)
    return len(taken)


async def _try_to_measure(make: Sessions, taken: quality.ClaimedAccount) -> None:
    """Measure one account; defer one that fails, so that the end of its lease does not retry it sooner."""

    async def work(_session: AsyncSession) -> None:
        await _measure(make, taken)

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await quality.defer(session, taken, until=until)

    await attempt(
        make,
        "quality",
        Subject(taken.tenant_id, taken.account_id),
        work,
        postponement=Postponement(AGAIN, postpone),
    )


async def _measure(make: Sessions, taken: quality.ClaimedAccount) -> None:
    at = datetime.now(UTC)
    async with transaction(make) as session:
        await quality.measure(session, taken, at=at)
    async with transaction(make) as session:
        if await archive.is_due(session, taken.account_id, at=at):
            await archive.seal(session, taken.account_id, at=at)


async def lay_down(work: WorkContext, _limit: int) -> int:
    """Write the Parquet files of sealed months that are missing or outdated."""
    directory = work.settings.data / "archive"
    async with work.make() as session:
        stale = await parquet.stale(session, directory)
    for tenant_id, month_on in stale:
        await _lay_down_month(work.make, directory, tenant_id, month_on)
    return 0


async def _lay_down_month(make: Sessions, directory: Path, tenant_id: UUID, month_on: date) -> None:
    """Write the file of one month; log a failure, so that other companies' files are still written."""

    async def work(session: AsyncSession) -> None:
        events = await parquet.write_month(session, directory, tenant_id, month_on)
        log.info("archive.laid_down", tenant=str(tenant_id), month=str(month_on), events=events)

    await attempt(make, "archive", Subject(tenant_id, tenant_id), work)
