"""Rows: journal entries and their lines. Triggers refuse an entry that does not balance, and any change."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class Book(StrEnum):
    """Account of the general ledger; debits are positive, credits negative."""

    CLIENT_CREDIT = "client_credit"
    SERVICE_RECOVERY = "service_recovery"
    GOODWILL = "goodwill"
    RECEIVABLE = "receivable"
    REVENUE = "revenue"
    VAT = "vat"
    BANK = "bank"


class JournalKind(StrEnum):
    """Kind of movement that a journal entry records."""

    GRANT = "grant"
    ADJUST = "adjust"
    APPLY = "apply"
    INVOICE = "invoice"
    PAYMENT = "payment"
    PAYOUT = "payout"
    REVERSAL = "reversal"


class JournalEntry(Base, Owned):
    """One movement of money, never changed: an error is corrected by a counter-entry with its reason.

    `n` counts the entries about one subject (a credit, an invoice, a note, a payment, a payout) from 1.
    """

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("subject_id", "n"),
        CheckConstraint("n > 0", name="n_positive"),
        Index(None, "account_id", "at"),
        Index(None, "agreement_id"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    subject_id: Mapped[UUID]
    n: Mapped[int]
    kind: Mapped[JournalKind]
    reason: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]


class JournalLine(Base, Owned):
    """Movement of one entry in one book; the lines of an entry sum to zero."""

    __tablename__ = "journal_line"
    __table_args__ = (
        UniqueConstraint("entry_id", "book"),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
        Index(None, "account_id", "book"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("journal_entry.id"))
    book: Mapped[Book]
    amount_cents: Mapped[int]
    currency: Mapped[str]
