"""Reports at the client's own time, whatever dies in between; and contacts with clients, planned ahead."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import reports, touchpoints
from domain.db import Sessions, transaction
from domain.deferral import Subject
from domain.reports.actions import due_plans
from workers.check_ins import ask_all
from workers.periodic import Postponement, attempt

log = structlog.get_logger()

AGAIN = timedelta(minutes=1)  # until what failed is tried again; doubled each time
EVERY_S = 1.0
ADOPT_EVERY_S = 60.0
PLAN_EVERY_S = 3600.0
REPORTS = 50  # made between two looks at deliveries
ACCOUNTS = 200  # whose contacts are planned in a transaction


async def sweep_reports(make: Sessions) -> None:
    """Make what is due and follow what was made, every second, until cancelled; any number of workers may."""
    loop = asyncio.get_running_loop()
    adopted_at = -ADOPT_EVERY_S
    while True:
        if loop.time() - adopted_at >= ADOPT_EVERY_S:
            async with transaction(make) as session:
                await reports.adopt(session, at=datetime.now(UTC))
            adopted_at = loop.time()
        made = await make_due(make, at=datetime.now(UTC))
        async with transaction(make) as session:
            await reports.follow(session, at=datetime.now(UTC))
        if made < REPORTS:
            await asyncio.sleep(EVERY_S)


async def make_due(make: Sessions, *, at: datetime) -> int:
    """Make the reports that are due, each in its own transaction; one that cannot be made holds up none.

    Returns how many were due.
    """
    async with make() as session:
        plans = await due_plans(session, at=at, limit=REPORTS)
    for plan in plans:
        await _make(make, plan, at)
    return len(plans)


async def _make(make: Sessions, plan: Subject, at: datetime) -> None:
    async def work(session: AsyncSession) -> None:
        report = await reports.make_next(session, plan.id, at=at)
        if report is not None:
            log.info("report.made", report=str(report.id), cadence=str(report.cadence))

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await reports.put_off(session, plan.id, until=until)

    await attempt(make, "reports", plan, work, postponement=Postponement(AGAIN, postpone, at))


async def plan_touchpoints(make: Sessions) -> None:
    """Keep the next contacts with every client planned, and ask who is to be asked, every hour, until cancelled."""
    while True:
        after: UUID | None = None
        while True:
            async with transaction(make) as session:
                after = await touchpoints.plan_all(
                    session, at=datetime.now(UTC), after=after, limit=ACCOUNTS
                )
            if after is None:
                break
        await ask_all(make, at=datetime.now(UTC))
        await asyncio.sleep(PLAN_EVERY_S)
