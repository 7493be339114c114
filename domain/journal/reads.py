"""Reads of the journal: balances, the trial balance, and a client's statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of the amount owed to a client (positive: in favour of the client), and the balance after it."""

    entry_id: UUID
    subject_id: UUID
    at: datetime
    kind: JournalKind
    reason: str
    amount_cents: int
    balance_cents: int
    currency: str


async def trial_balance(session: AsyncSession, actor: Actor) -> dict[tuple[Book, str], int]:
    """Return the sum of every accessible book, by currency; for each currency they sum to zero."""
    rows = await session.execute(
        select(JournalLine.book, JournalLine.currency, func.sum(JournalLine.amount_cents))
        .where(actor.scope(JournalLine))
        .group_by(JournalLine.book, JournalLine.currency)
    )
    return {(book, currency): int(cents) for book, currency, cents in rows}


async def balance(
    session: AsyncSession, actor: Actor, account_id: UUID, book: Book, *, currency: str
) -> int:
    """Return the balance of one book of one account, in cents, debit positive."""
    found = await session.scalar(
        select(func.coalesce(func.sum(JournalLine.amount_cents), 0)).where(
            actor.scope(JournalLine),
            JournalLine.account_id == account_id,
            JournalLine.book == book,
            JournalLine.currency == currency,
        )
    )
    return int(found or 0)


async def opening(
    session: AsyncSession, actor: Actor, account_id: UUID, *, before: datetime, currency: str
) -> int:
    """Return the amount owed to a client in one currency just before a time, in cents."""
    query = _owed(actor, account_id, currency).where(JournalEntry.at < before).subquery()
    found = await session.scalar(select(func.coalesce(func.sum(query.c.cents), 0)))
    return int(found or 0)


async def statement(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    *,
    from_at: datetime,
    until_at: datetime,
    currency: str = "EUR",
) -> Sequence[StatementLine]:
    """Return every movement of the amount owed to a client in [from_at, until_at), oldest first, with balances."""
    running = await opening(session, actor, account_id, before=from_at, currency=currency)
    rows = await session.execute(
        _owed(actor, account_id, currency)
        .where(JournalEntry.at >= from_at, JournalEntry.at < until_at)
        .order_by(JournalEntry.at, JournalEntry.id)
    )
    lines = []
    for entry, cents in rows:
        running += cents
        lines.append(
            StatementLine(
                entry.id,
                entry.subject_id,
                entry.at,
                entry.kind,
                entry.reason,
                cents,
                running,
                currency,
            )
        )
    return lines


def _owed(actor: Actor, account_id: UUID, currency: str) -> Select[JournalEntry, int]:
    return (
        select(JournalEntry, (-JournalLine.amount_cents).label("cents"))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            actor.scope(JournalEntry),
            JournalEntry.account_id == account_id,
            JournalLine.book == Book.CLIENT_CREDIT,
            JournalLine.currency == currency,
        )
    )
