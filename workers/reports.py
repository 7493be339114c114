"""Report and touchpoint jobs: plan, make and follow reports; plan contacts with clients and send check-ins."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import reports, touchpoints
from domain.accounts.model import Account
from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.reports import due_plans
from workers.check_in_notices import ask_all
from workers.jobs import JobContext
from workers.periodic import Postponement, WorkContext, attempt, attempt_each

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # until a failed item is retried; doubled each time
ACCOUNTS = 200  # loaded per query
FOLLOWED = 100  # reports followed per round, before others are made


async def sweep_reports(work: WorkContext, limit: int) -> int:
    """Make the reports that are due and record the delivery of earlier ones."""
    made = await make_due(work.make, at=datetime.now(UTC), limit=limit)
    await follow_all(work.make, at=datetime.now(UTC))
    return made


async def plan_reports(work: WorkContext, limit: int) -> int:
    """Plan the default reports of accounts that have none."""
    return await adopt_all(work.make, at=datetime.now(UTC), limit=limit)


async def schedule_reports(job: JobContext) -> None:
    """Give reports the times that apply after a parameter of reports, or the tier of an account, was changed."""
    name = job.fact.body.get("name")
    if job.fact.kind == "account.changed" or str(name).startswith("reports."):
        await reports.schedule_again(
            job.session, job.fact.tenant_id, job.fact.account_id, at=job.at
        )


async def adopt_all(make: Sessions, *, at: datetime, limit: int = ACCOUNTS) -> int:
    """Plan the default reports of accounts that have none, each alone; return how many accounts were planned."""
    async with make() as session:
        accounts = await reports.unplanned_accounts(session, at=at, limit=limit)

    async def adopt(session: AsyncSession, account: Subject) -> None:
        await reports.adopt(session, at=at, only=account.id)

    await attempt_each(make, "report plans", accounts, adopt)
    return len(accounts)


async def follow_all(make: Sessions, *, at: datetime) -> int:
    """Record the delivery outcome of finished reports, each alone; return how many were checked."""
    async with make() as session:
        due = await reports.reports_to_follow(session, at=at, limit=FOLLOWED)

    async def follow(session: AsyncSession, report: Subject) -> None:
        await reports.follow(session, at=at, only=report.id)

    await attempt_each(make, "report deliveries", due, follow)
    return len(due)


async def make_due(make: Sessions, *, at: datetime, limit: int = 50) -> int:
    """Make the reports that are due, each in its own transaction; return how many were due.

    A report that cannot be made does not delay the others.
    """
    async with make() as session:
        plans = await due_plans(session, at=at, limit=limit)
    for plan in plans:
        await _make(make, plan, at)
    return len(plans)


async def _make(make: Sessions, plan: Subject, at: datetime) -> None:
    async def work(session: AsyncSession) -> None:
        report = await reports.make_next(session, plan.id, at=at)
        if report is not None:
            log.info("report.made", report=str(report.id), cadence=str(report.cadence))

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await reports.defer(session, plan.id, until=until)

    await attempt(make, "reports", plan, work, postponement=Postponement(AGAIN, postpone, at))


async def plan_touchpoints(work: WorkContext, _limit: int) -> int:
    """Plan the next touchpoints with every client and send the check-ins that are due."""
    await plan_all(work.make, at=datetime.now(UTC))
    await ask_all(work.make, at=datetime.now(UTC))
    return 0


async def plan_all(make: Sessions, *, at: datetime) -> None:
    """Plan the next touchpoints with every client, each client in its own transaction."""

    async def plan(session: AsyncSession, subject: Subject) -> None:
        account = await session.get_one(Account, subject.id)
        await touchpoints.plan(session, account, at=at)

    after: UUID | None = None
    while True:
        async with make() as session:
            page = await touchpoints.accounts_to_plan(session, at=at, after=after, limit=ACCOUNTS)
        await attempt_each(make, "touchpoints", page, plan)
        if len(page) < ACCOUNTS:
            return
        after = page[-1].id
