"""Reads of compensation: months that are over and not closed, and credits that await approval."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, cast, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.agreements.model import Agreement, Terms
from domain.compensation.model import ClosedMonth
from domain.core.deferral import is_deferred, rank_of

PART = "months"
STEP = text("interval '1 month'")
EARLIEST = date(1990, 1, 1)
"""First month that is closed; terms entered with an absurdly early start must not create thousands of months."""


class MonthToClose(NamedTuple):
    """A past month of an agreement that is not closed."""

    tenant_id: UUID
    agreement_id: UUID
    month_on: date


async def months_over(session: AsyncSession, *, at: datetime, limit: int) -> list[MonthToClose]:
    """Select the next month to close of each agreement: the companies alternately, the oldest month first.

    An agreement of which a month could not be closed waits until its next attempt.

    Months are in the account's zone. The first is the one in which the terms began; the last is the one after the
    agreement's end, because incidents may outlive it.
    """
    closed = (
        select(func.max(ClosedMonth.month_on) + STEP)
        .where(ClosedMonth.agreement_id == Agreement.id)
        .scalar_subquery()
    )
    began = (
        select(
            func.date_trunc(
                "month", func.timezone(Account.time_zone, func.min(func.lower(Terms.in_force)))
            )
        )
        .where(Terms.agreement_id == Agreement.id)
        .scalar_subquery()
    )
    month = cast(func.greatest(func.coalesce(closed, began), EARLIEST), Date)
    ends = func.timezone(Account.time_zone, month + STEP)
    rows = await session.execute(
        select(Agreement.tenant_id, Agreement.id, month)
        .join(Account, Account.id == Agreement.account_id)
        .where(
            ends <= at,
            ~is_deferred(PART, Agreement.id, at=at),
            or_(
                Agreement.ended_at.is_(None),
                func.timezone(Account.time_zone, month - STEP) < Agreement.ended_at,
            ),
        )
        .order_by(rank_of(Agreement.tenant_id, month, Agreement.id), func.random())
        .limit(limit)
    )
    return [MonthToClose(*row) for row in rows]
