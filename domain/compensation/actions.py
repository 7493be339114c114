"""Decide credits, and adjust what was granted to what the client is entitled to, by journal entries, never by edits."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.compensation.entitlements import Entitlement, Entitlements, compute, months_of
from domain.compensation.events import (
    CreditAdjusted,
    CreditDecided,
    CreditGranted,
    CreditProposed,
    MonthClosed,
)
from domain.compensation.model import (
    ClosedMonth,
    CompensationPolicy,
    Credit,
    CreditKind,
    CreditState,
)
from domain.core.base import uuid7
from domain.journal import Book, JournalEntry, JournalKind, JournalLine
from domain.promises import unit_fields
from domain.promises.model import Promise, State

BROKEN = "The promise was broken."
KEPT = "Later facts show that the promise was kept."
NEVER = "Later facts show that the promise never held."
CALLED_OFF = "Later facts show that the incident was over before the promise was late."
AFTER_ALL = "Later facts show that the promise was broken after all."
OTHERS = "Another credit of the same ticket or month changed."
MONTH = "Less was kept in the month than agreed."
MEASURED = "Later facts changed what was kept in the month."


class Limit(NamedTuple):
    """Amount above which a second person must approve."""

    cents: int
    currency: str


class EndState(NamedTuple):
    """State of a promise that no longer earns a credit; `ended`: its clock came to an end."""

    state: State
    ended: bool


async def decide(tx: Tx, promise_id: UUID) -> Credit | None:
    """Decide the credit for one broken promise; a second call grants nothing and returns None.

    None also when the promise is not late (any more), is an internal objective, or no rule gives a credit.
    """
    return (await settle(tx, promise_id)).get(promise_id)


async def settle(tx: Tx, promise_id: UUID) -> Mapping[object, Credit]:
    """Adjust the credits of a promise's unit and its months to what the current verdicts earn.

    Returns the new credits, by the promise (or the term and month) they are for. The result does not depend on the
    order in which changes became known, and a second call changes nothing.
    """
    promise = await tx.session.scalar(
        select(Promise).where(Promise.id == promise_id, tx.actor.scope(Promise))
    )
    if promise is None or promise.internal:
        return {}
    account = await lock_agreement(tx.session, promise.agreement_id)
    months = await months_of(
        tx.session,
        promise.agreement_id,
        promise.unit_id,
        account.time_zone,
        began_at=promise.started_at,
    )
    return await settle_months(
        tx, account, promise.agreement_id, months, unit_id=promise.unit_id, promise_id=promise.id
    )


async def close_month(tx: Tx, agreement_id: UUID, month_on: date) -> ClosedMonth | None:
    """Evaluate the compliance of a past month and grant its credits; None when that was done before."""
    account = await lock_agreement(tx.session, agreement_id)
    row: ClosedMonth | None = await tx.session.scalar(
        insert(ClosedMonth)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            agreement_id=agreement_id,
            month_on=month_on,
            closed_at=tx.at,
        )
        .on_conflict_do_nothing(index_elements=["agreement_id", "month_on"])
        .returning(ClosedMonth)
    )
    if row is None:
        return None
    fact = MonthClosed(account_id=account.id, subject_id=agreement_id, at=tx.at, month_on=month_on)
    tx.record(fact)
    await settle_months(tx, account, agreement_id, {month_on})
    return row


async def lock_agreement(session: AsyncSession, agreement_id: UUID) -> Account:
    """Lock the agreement, so that concurrent credits cannot both use the rest of a cap; return its account."""
    await session.execute(
        select(Agreement.id).where(Agreement.id == agreement_id).with_for_update(key_share=True)
    )
    account: Account = (
        await session.scalars(
            select(Account)
            .join(Agreement, Agreement.account_id == Account.id)
            .where(Agreement.id == agreement_id)
        )
    ).one()
    return account


async def settle_months(
    tx: Tx,
    account: Account,
    agreement_id: UUID,
    months: set[date],
    *,
    unit_id: UUID | None = None,
    promise_id: UUID | None = None,
    reasons: Mapping[UUID, str] | None = None,
    silent_for: frozenset[UUID] = frozenset(),
) -> Mapping[object, Credit]:
    """Adjust every credit of some months to what it should be. The caller holds the lock of the agreement.

    `reasons` are for entries of single credits, by id, about which people decided; what they wrote is in the credit. No
    notification is recorded for the credits in `silent_for`: the caller notifies the client of them.
    """
    if not months:
        return {}
    found = await compute(
        tx.session,
        agreement_id,
        account.time_zone,
        months,
        unit_id=unit_id,
        promise_id=promise_id,
    )
    above = await approval_limit(tx.session, account.tenant_id)
    made: dict[object, Credit] = {}
    for key, earned in found.earned.items():
        if key not in found.credits:
            credit = await _make(tx, agreement_id, account, earned, above)
            if credit is not None:
                made[key] = credit
    everything = {**found.credits, **made}
    nets = await nets_of(tx.session, [credit.id for credit in everything.values()])
    states = await _states(tx.session, found)
    for key, credit in everything.items():
        if credit.state is CreditState.AWAITING or key in found.beyond:
            continue
        stands = states.get(credit.promise_id) if credit.promise_id is not None else None
        if stands is not None and stands.state is State.LATE:
            continue  # broken in a month that was not requested
        due = found.earned.get(key)
        net, n = nets.get(credit.id, (0, 0))
        target = 0 if due is None else due.cents
        if target == net:
            continue
        entry_reason = (reasons or {}).get(credit.id) or _reason(
            credit, states, fresh=key in made, net=net
        )
        entry = await post(tx, credit, target - net, n=n + 1, reason=entry_reason)
        if key not in made and credit.id not in silent_for:
            words = credit.decision_reason if credit.id in (reasons or {}) else None
            tx.record(adjusted(credit, entry, target - net, target, words or entry_reason, tx.at))
    return made


async def _make(
    tx: Tx, agreement_id: UUID, account: Account, earned: Entitlement, above: Limit | None
) -> Credit | None:
    """Insert the credit for an entitlement, granted or awaiting approval; None when it exists."""
    promise, rule = earned.promise, earned.rule
    waits = exceeds(above, earned.cents, earned.currency)
    credit: Credit | None = await tx.session.scalar(
        insert(Credit)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            kind=earned.kind,
            state=CreditState.AWAITING if waits else CreditState.GRANTED,
            promise_id=None if promise is None else promise.id,
            unit_kind=None if promise is None else promise.unit_kind,
            unit_id=None if promise is None else promise.unit_id,
            term_id=earned.term_id,
            agreement_id=agreement_id,
            terms_id=earned.terms.id,
            rule_id=None if rule is None else rule.id,
            turn=earned.turn,
            amount_cents=earned.cents,
            uncapped_cents=earned.earned_cents,
            units_milli=None if rule is None else rule.units_milli,
            currency=earned.currency,
            month_on=earned.month_on,
            decided_at=tx.at,
        )
        .on_conflict_do_nothing()
        .returning(Credit)
    )
    if credit is not None:
        tx.record(proposed(credit, tx.at) if waits else announced(credit, earned.cents, tx.at))
    return credit


def announced(credit: Credit, cents: int, at: datetime) -> CreditDecided | CreditGranted:
    """Return the fact that notifies the client of a credit."""
    if credit.promise_id is not None:
        return CreditDecided(
            account_id=credit.account_id,
            subject_id=credit.id,
            at=at,
            promise_id=credit.promise_id,
            **unit_fields(credit.unit_kind, credit.unit_id),
            amount_cents=cents,
            currency=credit.currency,
        )
    return CreditGranted(
        account_id=credit.account_id,
        subject_id=credit.id,
        at=at,
        credit_kind=credit.kind,
        month_on=credit.month_on,
        amount_cents=cents,
        currency=credit.currency,
    )


def proposed(credit: Credit, at: datetime) -> CreditProposed:
    """Return the fact that a credit awaits approval."""
    return CreditProposed(
        account_id=credit.account_id,
        subject_id=credit.id,
        at=at,
        credit_kind=credit.kind,
        amount_cents=credit.amount_cents,
        currency=credit.currency,
    )


def adjusted(
    credit: Credit, entry: JournalEntry, cents: int, net_cents: int, reason: str, at: datetime
) -> CreditAdjusted:
    """Return the fact that a credit was adjusted."""
    return CreditAdjusted(
        account_id=credit.account_id,
        subject_id=credit.id,
        at=at,
        entry_id=entry.id,
        amount_cents=cents,
        net_cents=net_cents,
        currency=credit.currency,
        reason=reason,
    )


async def post(tx: Tx, credit: Credit, cents: int, *, n: int, reason: str) -> JournalEntry:
    """Write the `n`-th entry of a credit: `cents` more (or less) are owed to the client."""
    cost = Book.GOODWILL if credit.kind is CreditKind.GOODWILL else Book.SERVICE_RECOVERY
    return await journal.post(
        tx,
        on=credit,
        subject_id=credit.id,
        n=n,
        kind=JournalKind.GRANT if n == 1 else JournalKind.ADJUST,
        lines={cost: cents, Book.CLIENT_CREDIT: -cents},
        reason=reason,
    )


async def nets_of(session: AsyncSession, credit_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return the net amount in cents and the number of entries of each credit; credits without entries are left out."""
    rows = await session.execute(
        select(
            JournalEntry.subject_id,
            func.sum(-JournalLine.amount_cents),
            func.max(JournalEntry.n),
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.subject_id == func.any(credit_ids),
            JournalLine.book == Book.CLIENT_CREDIT,
        )
        .group_by(JournalEntry.subject_id)
    )
    return {credit_id: (int(cents), n) for credit_id, cents, n in rows}


async def net_cents(session: AsyncSession, credit_id: UUID) -> int:
    """Return the net amount of a credit; 0 as long as it is not granted."""
    cents, _ = (await nets_of(session, [credit_id])).get(credit_id, (0, 0))
    return cents


async def approval_limit(session: AsyncSession, tenant_id: UUID) -> Limit | None:
    """Return the limit above which a second person must approve; None: never."""
    policy = await session.scalar(
        select(CompensationPolicy).where(CompensationPolicy.tenant_id == tenant_id)
    )
    if policy is None or policy.approval_above_cents is None:
        return None
    return Limit(policy.approval_above_cents, policy.approval_currency)


async def approval_above(session: AsyncSession, tenant_id: UUID) -> int | None:
    """Return the approval limit in cents of the policy's currency; None: never."""
    limit = await approval_limit(session, tenant_id)
    return None if limit is None else limit.cents


def exceeds(limit: Limit | None, cents: int, currency: str) -> bool:
    """Return whether an amount needs approval: above the limit, or in a currency that the limit does not cover."""
    if limit is None or not cents:
        return False
    return currency != limit.currency or cents > limit.cents


async def _states(session: AsyncSession, found: Entitlements) -> dict[UUID, EndState]:
    """Return the states of promises whose credits no longer earn anything."""
    gone = [
        credit.promise_id
        for key, credit in found.credits.items()
        if key not in found.earned and key not in found.beyond and credit.promise_id is not None
    ]
    if not gone:
        return {}
    rows = await session.execute(
        select(Promise.id, Promise.state, Promise.stopped_at).where(Promise.id == func.any(gone))
    )
    return {row.id: EndState(row.state, ended=row.stopped_at is not None) for row in rows}


def _reason(credit: Credit, states: Mapping[UUID, EndState], *, fresh: bool, net: int) -> str:
    if credit.kind is CreditKind.PERIOD:
        return MONTH if fresh else MEASURED
    if fresh:
        return BROKEN
    stands = states.get(credit.promise_id) if credit.promise_id is not None else None
    if stands is None:
        return AFTER_ALL if net == 0 and credit.amount_cents else OTHERS
    if stands.state is State.CANCELLED:
        return CALLED_OFF if stands.ended else NEVER
    return KEPT
