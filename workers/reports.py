"""Reports at the client's own time, whatever dies in between; and contacts with clients, planned ahead."""

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
from workers.periodic import Postponement, WorkContext, attempt, attempt_each

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # until what failed is tried again; doubled each time
ACCOUNTS = 200  # looked up at a time
FOLLOWED = 100  # reports looked at before others are made


async def sweep_reports(work: WorkContext, limit: int) -> int:
    """Make the reports that are due and follow those that were made."""
    made = await make_due(work.make, at=datetime.now(UTC), limit=limit)
    await follow_all(work.make, at=datetime.now(UTC))
    return made


async def plan_reports(work: WorkContext, limit: int) -> int:
    """Plan the default reports of accounts that lack them."""
    return await adopt_all(work.make, at=datetime.now(UTC), limit=limit)


async def adopt_all(make: Sessions, *, at: datetime, limit: int = ACCOUNTS) -> int:
    """Plan the default reports of accounts that lack them, each account alone; returns how many accounts did."""
    async with make() as session:
        accounts = await reports.unplanned_accounts(session, at=at, limit=limit)

    async def adopt(session: AsyncSession, account: Subject) -> None:
        await reports.adopt(session, at=at, only=account.id)

    await attempt_each(make, "report plans", accounts, adopt)
    return len(accounts)


async def follow_all(make: Sessions, *, at: datetime) -> int:
    """Record what became of reports that were made, each alone; returns how many were looked at."""
    async with make() as session:
        due = await reports.reports_to_follow(session, at=at, limit=FOLLOWED)

    async def follow(session: AsyncSession, report: Subject) -> None:
        await reports.follow(session, at=at, only=report.id)

    await attempt_each(make, "report deliveries", due, follow)
    return len(due)


async def make_due(make: Sessions, *, at: datetime, limit: int = 50) -> int:
    """Make the reports that are due, each in its own transaction; one that cannot be made holds up none.

    Returns how many were due.
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
    """Keep the next contacts with every client planned, and ask who is to be asked."""
    await plan_all(work.make, at=datetime.now(UTC))
    await ask_all(work.make, at=datetime.now(UTC))
    return 0


async def plan_all(make: Sessions, *, at: datetime) -> None:
    """Plan the next contacts with every client, each client alone."""

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
