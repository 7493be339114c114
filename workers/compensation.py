"""Consequences for money: a broken promise earns its credit, and credits follow verdicts that change."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import compensation
from domain.access import Actor
from domain.compensation import MonthToClose
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt


async def decide_credit(context: JobContext) -> None:
    """Grant the credit for one broken promise; the credit's unique key makes it one."""
    await compensation.decide(
        context.session, context.actor, context.fact.subject_id, at=context.at
    )


async def settle_credit(context: JobContext) -> None:
    """Let credits follow a verdict that was revised or cancelled: a counter-entry, with its reason."""
    await compensation.settle(
        context.session, context.actor, context.fact.subject_id, at=context.at
    )


async def close_months(work: WorkContext, limit: int) -> int:
    """Weigh the compliance of months that are over; several may do so at once, and a month is closed once."""
    now = datetime.now(UTC)
    async with work.make() as session:
        due = await compensation.months_over(session, at=now, limit=limit)
    closed = sum([await _close(work.make, month, now) for month in due])
    # After a stop an agreement has many to catch up with, one after the other: more may be due already.
    return limit if closed else 0


async def _close(make: Sessions, month: MonthToClose, at: datetime) -> bool:
    async def close(session: AsyncSession) -> None:
        actor = Actor.system(month.tenant_id, "worker")
        await compensation.close_month(session, actor, month.agreement_id, month.month_on, at=at)

    return await attempt(make, "months", Subject(month.tenant_id, month.agreement_id), close)
