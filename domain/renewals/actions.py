"""Follow the duration of agreements, and decide their renewals."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import agreements
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_text
from domain.renewals import events
from domain.renewals.model import Renewal, RenewalOutcome, RenewalReason
from domain.renewals.rules import begin_of, step_at

MOST_BPS = 100_000


async def follow_duration(tx: Tx, agreement_id: UUID) -> None:
    """Open, move or withdraw the renewal of an agreement, as its duration is now."""
    agreement = await tx.session.get_one(
        Agreement, agreement_id, with_for_update={"key_share": True}
    )
    row = await tx.session.scalar(
        select(Renewal)
        .where(Renewal.agreement_id == agreement.id, Renewal.outcome.is_(None))
        .with_for_update(key_share=True)
    )
    fixed_until, notice_by = agreement.fixed_until, agreement.notice_by
    if fixed_until is None or notice_by is None or agreement.ended_at is not None:
        if row is not None:
            settle(tx, row, RenewalOutcome.WITHDRAWN)
        return
    account = await tx.session.get_one(Account, agreement.account_id)
    step = step_at(tx.at, notice_by, raised=None, zone=account.time_zone)
    look_at = tx.at if step.days_left is not None else step.next_at
    if row is None:
        row = Renewal(
            id=uuid7(),
            tenant_id=agreement.tenant_id,
            account_id=agreement.account_id,
            agreement_id=agreement.id,
            fixed_until=fixed_until,
            notice_by=notice_by,
            opened_at=tx.at,
            look_at=look_at,
        )
        tx.session.add(row)
        tx.record(events.RenewalOpened(**about(row), at=tx.at))
    elif (row.fixed_until, row.notice_by) != (fixed_until, notice_by):
        before = (row.fixed_until, row.notice_by)
        row.fixed_until, row.notice_by, row.look_at = fixed_until, notice_by, look_at
        row.days_left = row.notice_passed_at = None
        tx.record(
            events.RenewalMoved(
                **about(row), at=tx.at, fixed_until_before=before[0], notice_by_before=before[1]
            )
        )
    await tx.session.flush()


async def decide(
    tx: Tx,
    renewal_id: UUID,
    *,
    outcome: RenewalOutcome,
    reason: RenewalReason,
    note: str | None = None,
    renewed_until: date | None = None,
    price_change_bps: int | None = None,
    expected_version: int | None = None,
) -> Renewal:
    """Decide a renewal: renewed until another day, or ended with its fixed duration; the agreement follows."""
    tx.actor.must(Right.MANAGE_AGREEMENTS)
    must_be_text(note, "note")
    row = await tx.get(Renewal, renewal_id, "renewal", lock=True)
    must_be_current(row.version, expected_version)
    _check(outcome, renewed_until, price_change_bps)
    if row.outcome is not None:
        raise Refused(Code.ALREADY_DONE, f"This renewal is decided: {row.outcome}.", argument="id")
    agreement = await tx.session.get_one(Agreement, row.agreement_id)
    if renewed_until is not None and renewed_until <= row.fixed_until:
        raise Refused(
            Code.TIME_REVERSED,
            f"It runs until {row.fixed_until} already; choose a later day.",
            argument="renewedUntil",
        )
    row.reason, row.note, row.price_change_bps = reason, note, price_change_bps
    row.decided_by = tx.actor.subject
    settle(tx, row, outcome)
    await tx.session.flush()
    if renewed_until is not None:
        await prolong(tx, agreement, renewed_until)
    else:
        account = await tx.session.get_one(Account, row.account_id)
        ends_at = begin_of(row.fixed_until + timedelta(days=1), account.time_zone)
        with naming_only("id"):
            await agreements.end(
                tx, agreement.id, ended_at=max(ends_at, tx.at), reason=note or str(reason)
            )
    return row


async def prolong(tx: Tx, agreement: Agreement, fixed_until: date) -> None:
    """Agree another last day for an agreement, with the same notice period and renewal."""
    with naming_only():
        await agreements.agree_duration(
            tx,
            agreement.id,
            fixed_until=fixed_until,
            notice_months=agreement.notice_months,
            notice_days=agreement.notice_days,
            renews_for_months=agreement.renews_for_months,
        )


def settle(tx: Tx, row: Renewal, outcome: RenewalOutcome) -> None:
    """Give a renewal its outcome."""
    row.outcome, row.decided_at = outcome, tx.at
    tx.record(
        events.RenewalDecided(
            **about(row),
            at=tx.at,
            outcome=outcome,
            reason=row.reason,
            price_change_bps=row.price_change_bps,
        )
    )


def about(row: Renewal) -> dict[str, Any]:
    """Return the fields that all facts about a renewal have."""
    return {
        "account_id": row.account_id,
        "subject_id": row.id,
        "agreement_id": row.agreement_id,
        "fixed_until": row.fixed_until,
        "notice_by": row.notice_by,
    }


def _check(outcome: RenewalOutcome, renewed_until: date | None, bps: int | None) -> None:
    if outcome not in (RenewalOutcome.RENEWED, RenewalOutcome.ENDED):
        raise Refused(
            Code.INVALID,
            "A person decides RENEWED or ENDED; the other outcomes follow from time.",
            argument="outcome",
        )
    is_renewed = outcome is RenewalOutcome.RENEWED
    if is_renewed != (renewed_until is not None):
        needs = "needs the last day" if is_renewed else "has no other last day; leave it out"
        raise Refused(
            Code.INVALID, f"An agreement that is {outcome} {needs}.", argument="renewedUntil"
        )
    if bps is not None and (not is_renewed or not -10_000 <= bps <= MOST_BPS):
        raise Refused(
            Code.INVALID,
            f"Of a renewed agreement, priceChangeBps is from -10,000 to {MOST_BPS:,}.",
            argument="priceChangeBps",
        )
