"""Ask about credits: which months are over, and what waits for somebody's yes."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, cast, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account
from domain.agreements.model import Agreement, Terms
from domain.compensation.model import ClosedMonth
from domain.core.deferral import is_deferred, turn_of

PART = "months"
STEP = text("interval '1 month'")
EARLIEST = date(1990, 1, 1)
"""Terms that were entered with an absurd beginning have no thousands of months to close."""


class Over(NamedTuple):
    """A month of an agreement that is over and not closed."""

    tenant_id: UUID
    agreement_id: UUID
    month_on: date


async def months_over(session: AsyncSession, *, at: datetime, limit: int) -> list[Over]:
    """The next month to close of every agreement of which one is over, the companies in turn, the oldest first.

    An agreement of which a month could not be closed waits until its next attempt.

    Months are the account's. The first is the one in which the terms began; the last the one after the agreement's
    end, because tickets may outlive it.
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
        .order_by(turn_of(Agreement.tenant_id, month, Agreement.id), func.random())
        .limit(limit)
    )
    return [Over(*row) for row in rows]
