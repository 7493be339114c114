"""Select running and overdue duties."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.duties.model import Duty


def running(at: datetime) -> ColumnElement[bool]:
    """Return the condition for duties that run at `at`, which is now: begun, not ended, and their time is not over."""
    # An ended duty is over even for a clock that has not reached its end yet, because the facts record the end.
    return and_(Duty.from_at <= at, Duty.ended_at.is_(None), Duty.until_at > at)


DUE: tuple[WakeUp, ...] = (
    DueColumn(Duty.until_at, Duty.ended_at.is_(None), ~is_deferred("duties", Duty.id)),
)


async def overdue(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the duties whose time is over: the companies alternately, the longest overdue of each first.

    One that could not be ended waits until its next attempt.
    """
    found = await session.execute(
        select(Duty.tenant_id, Duty.id)
        .where(Duty.ended_at.is_(None), Duty.until_at <= at, ~is_deferred("duties", Duty.id, at=at))
        .order_by(rank_of(Duty.tenant_id, Duty.until_at, Duty.id), func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]
