"""Raise the steps of renewals once each, and what follows when the last day for notice is over."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.renewals import events
from domain.renewals.actions import about, prolong, settle
from domain.renewals.model import Renewal, RenewalOutcome
from domain.renewals.rules import begin_of, prolonged, step_at

PART = "renewals"


async def renewals_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select open renewals with a step to be raised: the companies alternately, the longest due of each first."""
    turn = rank_of(Renewal.tenant_id, Renewal.look_at, Renewal.id)
    found = await session.execute(
        select(Renewal.tenant_id, Renewal.id)
        .where(
            Renewal.outcome.is_(None),
            Renewal.look_at <= at,
            ~is_deferred(PART, Renewal.id, at=at),
        )
        .order_by(turn, Renewal.look_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_renewal(
    session: AsyncSession, renewal_id: UUID, *, at: datetime
) -> Renewal | None:
    """Raise the step that is due, or let the agreement be renewed or lapse; None when another worker has it."""
    row = await session.scalar(
        select(Renewal)
        .where(Renewal.id == renewal_id, Renewal.outcome.is_(None), Renewal.look_at <= at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if row is None:
        return None
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    account = await session.get_one(Account, row.account_id)
    agreement = await session.get_one(Agreement, row.agreement_id)
    if at >= begin_of(row.fixed_until + timedelta(days=1), account.time_zone):
        await _end_of_notice(tx, row, agreement)
        if row.outcome is None:
            settle(tx, row, RenewalOutcome.LAPSED)
    elif at >= begin_of(row.notice_by + timedelta(days=1), account.time_zone):
        await _end_of_notice(tx, row, agreement)
        row.look_at = begin_of(row.fixed_until + timedelta(days=1), account.time_zone)
    else:
        step = step_at(at, row.notice_by, raised=row.days_left, zone=account.time_zone)
        if step.days_left is not None:
            row.days_left = step.days_left
            tx.record(events.RenewalDue(**about(row), at=at, days_left=step.days_left))
        row.look_at = step.next_at
    await session.flush()
    return row


async def _end_of_notice(tx: Tx, row: Renewal, agreement: Agreement) -> None:
    """Record once that nobody gave notice; an agreement that is renewed by that gets its next last day."""
    if row.notice_passed_at is not None:
        return
    row.notice_passed_at = tx.at
    months = agreement.renews_for_months
    tx.record(events.NoticePassed(**about(row), at=tx.at, tacit=months is not None))
    if months is None:
        return
    settle(tx, row, RenewalOutcome.RENEWED_TACITLY)
    await tx.session.flush()
    await prolong(tx, agreement, prolonged(row.fixed_until, months))
