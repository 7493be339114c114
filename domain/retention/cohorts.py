"""Retention by cohort: clients kept, and fees kept (GRR) and grown (NRR), of the same clients."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.accounts.model import Account
from domain.agreements.model import Agreement, Terms
from domain.core.errors import Code, Refused
from domain.surveys import share


class CohortBy(StrEnum):
    """What clients are grouped by."""

    YEAR = "year"
    QUARTER = "quarter"
    SEGMENT = "segment"
    SERVICE_TIER = "service_tier"


@dataclass(frozen=True, slots=True)
class RetentionCohort:
    """Clients that had an agreement in force at the start, and what became of them by the end."""

    name: str
    starts_on: date
    ends_on: date
    at_start: int
    kept: int
    low: float
    high: float
    fee_then_cents: int
    fee_kept_cents: int
    fee_now_cents: int

    @property
    def gross(self) -> float | None:
        """Fees of then that are still paid ÷ fees of then; at most 1. None without fees."""
        return self.fee_kept_cents / self.fee_then_cents if self.fee_then_cents else None

    @property
    def net(self) -> float | None:
        """Fees of now of the same clients ÷ fees of then. None without fees."""
        return self.fee_now_cents / self.fee_then_cents if self.fee_then_cents else None


async def retention(
    session: AsyncSession,
    actor: Actor,
    *,
    by: CohortBy,
    starts_on: date,
    ends_on: date,
    at: datetime,
) -> list[RetentionCohort]:
    """Measure the clients in force on a day at a later day; those that the actor can access."""
    actor.must(Right.READ_HEALTH)
    actor.must(Right.READ_MONEY)
    if not starts_on < ends_on <= at.date():
        words = "startsOn must be before endsOn, and endsOn not later than today."
        raise Refused(Code.INVALID, words, argument="endsOn")
    if starts_on < ends_on - relativedelta(years=10):
        raise Refused(Code.INVALID, "The days are at most ten years apart.", argument="startsOn")
    before = await _fees(session, actor, _noon(starts_on))
    after = await _fees(session, actor, _noon(ends_on))
    names = await _names(session, actor, by)
    groups: defaultdict[str, list[UUID]] = defaultdict(list)
    for account_id in before:
        groups[names.get(account_id, "unknown")].append(account_id)
    return [
        _cohort(name, starts_on, ends_on, [(before[each], after.get(each)) for each in sorted(ids)])
        for name, ids in sorted(groups.items())
    ]


def _cohort(
    name: str, starts_on: date, ends_on: date, fees: list[tuple[int, int | None]]
) -> RetentionCohort:
    kept = sum(now is not None for _, now in fees)
    interval = share(kept, len(fees))
    low, high = (0.0, 100.0) if interval is None else (interval.low, interval.high)
    return RetentionCohort(
        name,
        starts_on,
        ends_on,
        len(fees),
        kept,
        low / 100,
        high / 100,
        sum(then for then, _ in fees),
        sum(min(then, now or 0) for then, now in fees),
        sum(now or 0 for _, now in fees),
    )


async def _fees(session: AsyncSession, actor: Actor, at: datetime) -> dict[UUID, int]:
    """Return the monthly fee of each client with an agreement in force at an instant, in cents."""
    rows = await session.execute(
        select(Agreement.account_id, func.sum(Terms.period_fee_cents))
        .join(Terms, Terms.agreement_id == Agreement.id)
        .where(
            actor.scope(Agreement),
            Terms.in_force.contains(at),
            or_(Agreement.ended_at.is_(None), Agreement.ended_at > at),
        )
        .group_by(Agreement.account_id)
    )
    return {account_id: int(fee) for account_id, fee in rows}


async def _names(session: AsyncSession, actor: Actor, by: CohortBy) -> dict[UUID, str]:
    if by in {CohortBy.YEAR, CohortBy.QUARTER}:
        rows = await session.execute(
            select(
                Agreement.account_id,
                func.min(Agreement.signed_on),
                func.min(Account.client_since_on),
            )
            .join(Account, Account.id == Agreement.account_id)
            .where(actor.scope(Agreement))
            .group_by(Agreement.account_id)
        )
        firsts = {account_id: min(each for each in days if each) for account_id, *days in rows}
        if by is CohortBy.YEAR:
            return {each: str(on.year) for each, on in firsts.items()}
        return {each: f"{on.year} Q{(on.month + 2) // 3}" for each, on in firsts.items()}
    column = Account.segment if by is CohortBy.SEGMENT else Account.service_tier
    own = Account.tenant_id == actor.tenant_id
    values = await session.execute(select(Account.id, column).where(own))
    return {account_id: str(value) for account_id, value in values}


def _noon(on: date) -> datetime:
    return datetime.combine(on, time(12), UTC)
