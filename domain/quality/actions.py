"""Measure accounts: facts mark what may have changed, one measurement covers all marks, changes are recorded."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import archive
from domain.access import Actor, Right, Tx
from domain.accounts.model import Account, ServiceTier
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.core.wakeups import DueColumn, WakeUp
from domain.evaluator.kernels.scores import Component
from domain.promises import to_us
from domain.quality.burn_rate import Burning, burns
from domain.quality.events import BudgetBurning, QualityPolicySet
from domain.quality.model import Burn, BurnState, Look, QualityPolicy, Window
from domain.quality.reads import local_of, policy_of
from domain.quality.rules import Measuring, ScopeFigures
from domain.quality.store import compare, replace, stored
from domain.quality.windows import (
    CALENDAR,
    ROLLING,
    Local,
    WindowSpan,
    instant,
    span_at,
    windows_touching,
)

SOON = timedelta(milliseconds=500)
"""How long marks are collected before one measurement."""
LEASE = timedelta(seconds=60)
"""Time after which an account is measured again if its worker crashed."""
WATCHED = timedelta(minutes=1)
"""How often a burning budget is measured, so that its end is recorded too."""


class ClaimedAccount(NamedTuple):
    """An account that is to be measured, and until when it is reserved."""

    account_id: UUID
    tenant_id: UUID
    dirty_from_at: datetime | None
    lease_until: datetime


async def mark(
    session: AsyncSession,
    tenant_id: UUID,
    account_id: UUID,
    *,
    dirty_from: datetime,
    at: datetime,
) -> None:
    """Mark an account for measurement: something decided at `dirty_from` or later may have changed."""
    due = insert(Look).values(
        account_id=account_id, tenant_id=tenant_id, due_at=at + SOON, dirty_from_at=dirty_from
    )
    await session.execute(
        due.on_conflict_do_update(
            index_elements=[Look.account_id],
            set_={
                "due_at": func.least(Look.due_at, due.excluded.due_at),
                "dirty_from_at": func.least(Look.dirty_from_at, due.excluded.dirty_from_at),
            },
        )
    )


DUE: tuple[WakeUp, ...] = (DueColumn(Look.due_at),)


async def claim_due(
    session: AsyncSession, *, at: datetime, limit: int = 20
) -> list[ClaimedAccount]:
    """Claim due accounts, longest overdue first; each is reserved for `LEASE`."""
    due = (
        select(Look.account_id)
        .where(Look.due_at <= at)
        .order_by(Look.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    found = await session.execute(
        update(Look)
        .where(Look.account_id.in_(due))
        .values(due_at=at + LEASE)
        .returning(Look.account_id, Look.tenant_id, Look.dirty_from_at, Look.due_at)
    )
    return [ClaimedAccount(*row) for row in found]


async def defer(session: AsyncSession, taken: ClaimedAccount, *, until: datetime) -> None:
    """Postpone an account whose measurement fails; the next mark brings it forward."""
    await session.execute(
        update(Look)
        .where(Look.account_id == taken.account_id, Look.due_at == taken.lease_until)
        .values(due_at=until)
    )


async def measure(session: AsyncSession, taken: ClaimedAccount, *, at: datetime) -> int:
    """Measure what may have changed in one account, and record changes; return how many rows were written."""
    account = await session.get_one(Account, taken.account_id)
    look = await session.get_one(Look, taken.account_id)
    policy, local = await policy_of(session, account), await local_of(session, account)
    log = await archive.load(session, account.id, at=at)
    at_us = to_us(at)
    oldest_us = int(log.sealed.ts.min()) if log.events else at_us
    first_us = oldest_us  # an account that was never measured is measured completely
    if look.measured_at is not None:
        dirty_us = at_us if taken.dirty_from_at is None else to_us(taken.dirty_from_at)
        first_us = max(oldest_us, dirty_us)
    spans = spans_of(local, min(first_us, at_us), at_us)
    found, burned = await asyncio.to_thread(_computed, log, at_us, local, policy.weights, spans)
    actor = Actor.system(account.tenant_id, "quality")
    known = await stored(session, account.id, spans)
    written = await replace(session, account, found, known, spans, log, at=at)
    for fact in compare(account, found, known, spans, at=at):
        record(session, actor, fact)
    await _note_burns(Tx(session, actor, at), account, log, burned)
    burning = any(burn.burn is not Burn.CALM for burn in burned)
    midnight = instant(span_at(Window.DAY, local, at_us).until_us)
    mine = Look.due_at == taken.lease_until
    await session.execute(
        update(Look)
        .where(Look.account_id == account.id)
        .values(
            due_at=case(
                (mine, min(midnight, at + WATCHED) if burning else midnight), else_=Look.due_at
            ),
            dirty_from_at=case((mine, None), else_=Look.dirty_from_at),
            measured_at=at,
        )
    )
    return written


def spans_of(local: Local, first_us: int, at_us: int) -> list[WindowSpan]:
    """Return every calendar window that touches [first_us, at_us], and the rolling ones up to now."""
    calendar = [
        span for kind in CALENDAR for span in windows_touching(kind, local, first_us, at_us)
    ]
    return [*calendar, *(span_at(kind, local, at_us) for kind in ROLLING)]


def _computed(
    log: archive.EventLog,
    at_us: int,
    local: Local,
    weights: Mapping[Component, int],
    spans: Sequence[WindowSpan],
) -> tuple[list[ScopeFigures], list[Burning]]:
    measuring = Measuring(log, at_us, local, weights)
    return list(measuring.found(spans)), list(burns(measuring, at_us))


async def _note_burns(
    tx: Tx, account: Account, log: archive.EventLog, burned: Iterable[Burning]
) -> None:
    """Store the burn rate of each budget, and record changes."""
    rows = await tx.session.scalars(select(BurnState).where(BurnState.account_id == account.id))
    known = {row.term_id: row for row in rows}
    for burn in burned:
        term = log.terms[burn.term]
        row = known.get(term.id)
        if row is None:
            row = BurnState(
                tenant_id=account.tenant_id,
                account_id=account.id,
                term_id=term.id,
                internal=term.internal,
                state=Burn.CALM,
                since_at=tx.at,
            )
            tx.session.add(row)
        was, row.n_30d, row.misses_left, row.looked_at = row.state, burn.n, burn.misses_left, tx.at
        if was is not burn.burn:
            row.state, row.since_at = burn.burn, tx.at
            fact = BudgetBurning(
                account_id=account.id,
                subject_id=term.id,
                at=tx.at,
                term_id=term.id,
                name=term.name,
                state=str(burn.burn),
                was=str(was),
                n_30d=burn.n,
                misses_left=burn.misses_left,
                internal=term.internal,
            )
            tx.record(fact)


_POLICY = ("weights", "risk_limit_bps")


async def set_policy(
    tx: Tx,
    *,
    tier: ServiceTier | None = None,
    account_id: UUID | None = None,
    weights: Mapping[Component, int] | None = None,
    risk_limit_bps: int | None = None,
    left_out: Collection[str] = (),
) -> QualityPolicy:
    """Set the weights of quality and the limit of risk for an account, a tier or the company.

    A value of None is inherited from the level above; in an existing policy, values in `left_out` stay as they are.
    Measured accounts follow at their next measurement, within seconds.
    """
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    if tier is not None and account_id is not None:
        raise Refused(Code.INVALID, "Give either tier or accountId, not both.", argument="tier")
    if weights is not None and (min(weights.values(), default=0) < 0 or not any(weights.values())):
        raise Refused(
            Code.INVALID,
            "Weights must be at least 0, and at least one above 0.",
            argument="weights",
        )
    if risk_limit_bps is not None and risk_limit_bps < 0:
        raise Refused(Code.INVALID, "riskLimitBps must not be negative.", argument="riskLimitBps")
    reached = select(Account).where(tx.actor.scope(Account))
    if account_id is not None:
        reached = reached.where(Account.id == account_id)
    if tier is not None:
        reached = reached.where(Account.service_tier == tier)
    accounts = (await tx.session.scalars(reached)).all()
    if account_id is not None and not accounts:
        raise Refused(Code.NOT_FOUND, "No such account.", argument="accountId")
    known = await tx.session.scalar(
        select(QualityPolicy)
        .where(
            QualityPolicy.tenant_id == tx.actor.tenant_id,
            QualityPolicy.tier.is_not_distinct_from(tier),
            QualityPolicy.account_id.is_not_distinct_from(account_id),
        )
        .with_for_update()
    )
    before = None if known is None else values_of(known, _POLICY)
    plain = None if weights is None else {str(part): weight for part, weight in weights.items()}
    statement = insert(QualityPolicy).values(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        tier=tier,
        account_id=account_id,
        weights=plain,
        risk_limit_bps=risk_limit_bps,
    )
    policy: QualityPolicy | None = await tx.session.scalar(
        statement.on_conflict_do_update(
            index_elements=[QualityPolicy.tenant_id, QualityPolicy.tier, QualityPolicy.account_id],
            set_={
                name: statement.excluded[name]
                for name in ("tenant_id", *_POLICY)
                if name not in left_out
            },
        ).returning(QualityPolicy),
        execution_options={"populate_existing": True},
    )
    if policy is None:
        raise Refused(
            Code.BUSY, "The policy is being changed by another request; try again.", retryable=True
        )
    tx.record(
        QualityPolicySet(
            account_id=account_id,
            subject_id=policy.id,
            at=tx.at,
            tier=tier,
            before=before,
            after=values_of(policy, _POLICY),
        )
    )
    for account in accounts:
        await mark(tx.session, account.tenant_id, account.id, dirty_from=tx.at, at=tx.at)
    return policy
