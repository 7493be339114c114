"""Four-eyes rule: above the company's threshold a second person approves amounts that are not owed."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Role, Tx
from domain.accounts import same_person
from domain.compensation.actions import approval_above, approval_limit, exceeds
from domain.compensation.events import PolicyChosen
from domain.compensation.model import Credit, CreditKind, CreditState
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.journal.model import Book, JournalEntry, JournalLine

OTHERWISE = "Somebody of the company decided on another amount."
ADDED_UP_WITHIN = timedelta(days=30)
"""Amounts that one person gives one client within this period are added up, so that splitting avoids no threshold."""


async def limit_of(tx: Tx) -> tuple[int | None, frozenset[str]]:
    """Return above how many cents this person needs approval (None: never), and the person's subjects.

    A threshold that the person raised or removed within the last 30 days counts for others only.
    """
    persons = await same_person(tx.session, tx.actor.tenant_id, tx.actor.subject)
    above = await approval_above(tx.session, tx.actor.tenant_id)
    bodies = await tx.session.scalars(
        select(LedgerRow.body).where(
            LedgerRow.tenant_id == tx.actor.tenant_id,
            LedgerRow.kind == PolicyChosen.kind,
            LedgerRow.actor.in_(persons),
            LedgerRow.at > tx.at - ADDED_UP_WITHIN,
        )
    )
    earlier = [body["before"].get("approval_above_cents") for body in bodies]
    limits = [each for each in (above, *earlier) if each is not None]
    return min(limits, default=None), persons


async def given_by(
    session: AsyncSession,
    persons: Collection[str],
    account_id: UUID,
    currency: str,
    *,
    at: datetime,
) -> int:
    """Return how much a person gave a client in a currency within the period without approval, in cents."""
    gestures = await session.scalar(
        select(func.sum(Credit.amount_cents)).where(
            Credit.account_id == account_id,
            Credit.kind == CreditKind.GOODWILL,
            Credit.currency == currency,
            Credit.state == CreditState.GRANTED,
            Credit.proposed_by.in_(persons),
            Credit.decision_by.in_(persons),
            Credit.decided_at > at - ADDED_UP_WITHIN,
        )
    )
    overrides = await session.scalar(
        select(func.sum(-JournalLine.amount_cents))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalEntry.account_id == account_id,
            JournalEntry.actor.in_(persons),
            JournalEntry.reason == OTHERWISE,
            JournalLine.currency == currency,
            JournalEntry.at > at - ADDED_UP_WITHIN,
            JournalLine.book == Book.CLIENT_CREDIT,
            JournalLine.amount_cents < 0,
        )
    )
    return int(gestures or 0) + int(overrides or 0)


async def needs_another(tx: Tx, account_id: UUID, cents: int, currency: str) -> bool:
    """Return whether another person must approve before this actor gives a client this amount.

    What the software gives by a rule, such as the credit for a late report, is compared by itself. The threshold covers
    its own currency only: in any other currency approval is always needed.
    """
    limit = await approval_limit(tx.session, tx.actor.tenant_id)
    if tx.actor.role is Role.SYSTEM or (limit is not None and currency != limit.currency):
        return exceeds(limit, cents, currency)
    above, persons = await limit_of(tx)
    if above is None:
        return False
    turn = func.hashtextextended(f"gestures {account_id}", 0)
    await tx.session.execute(select(func.pg_advisory_xact_lock(turn)))
    return cents + await given_by(tx.session, persons, account_id, currency, at=tx.at) > above


async def must_be_somebody_else(session: AsyncSession, actor: Actor, credit: Credit) -> None:
    """Refuse an approval by an API key, or by the person who proposed the credit, under any user or key."""
    if actor.subject.startswith("key:"):
        raise Refused(Code.NOT_ALLOWED, "Only a person can approve a credit, not an API key.")
    if credit.proposed_by is None:
        return
    persons = await same_person(session, actor.tenant_id, actor.subject)
    if credit.proposed_by in persons:
        raise Refused(
            Code.NOT_ALLOWED, "The person who proposed a credit cannot approve it.", argument="id"
        )
