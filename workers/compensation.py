"""Credit jobs: grant a credit for a broken promise, adjust it when the verdict changes, close months."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import compensation
from domain.access import Actor, Tx
from domain.compensation import MonthToClose
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.jobs import JobContext
from workers.periodic import WorkContext, attempt


async def decide_credit(context: JobContext) -> None:
    """Grant the credit for a broken promise; the credit's unique key prevents a second one."""
    await compensation.decide(
        Tx(context.session, context.actor, context.at), context.fact.subject_id
    )


async def settle_credit(context: JobContext) -> None:
    """Adjust the credits of a promise whose verdict was revised or cancelled, by a journal entry with its reason."""
    await compensation.settle(
        Tx(context.session, context.actor, context.at), context.fact.subject_id
    )


async def close_months(work: WorkContext, limit: int) -> int:
    """Close the months that are over; several workers may run this at once, and a month is closed once."""
    now = datetime.now(UTC)
    async with work.make() as session:
        due = await compensation.months_over(session, at=now, limit=limit)
    closed = sum([await _close(work.make, month, now) for month in due])
    # After an outage an agreement can have several months to close in order, so more may be due at once.
    return limit if closed else 0


async def _close(make: Sessions, month: MonthToClose, at: datetime) -> bool:
    async def close(session: AsyncSession) -> None:
        actor = Actor.system(month.tenant_id, "worker")
        await compensation.close_month(Tx(session, actor, at), month.agreement_id, month.month_on)

    return await attempt(make, "months", Subject(month.tenant_id, month.agreement_id), close)
