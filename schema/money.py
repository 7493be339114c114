"""What can be asked about money: statements, balances, disputes, invoices, and what is made good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import invoices, journal
from domain.compensation import CompensationPolicy as PolicyRow
from domain.compensation import Dispute as DisputeRow
from domain.compensation import DisputeState
from domain.invoices import CreditNote as CreditNoteRow
from domain.invoices import Invoice as InvoiceRow
from domain.invoices.rules import read_number
from domain.journal import Book, JournalKind
from domain.recovery import CaseState
from domain.recovery import RecoveryCase as CaseRow
from schema.core import ids
from schema.core.context import Info
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.scalars import Long
from schema.core.types import from_row, resolver
from schema.credits import CompensationPolicy, Dispute
from schema.invoices import BillingLine, CreditNote, Invoice
from schema.recovery import RecoveryCase


@from_row(journal.StatementLine)
class StatementLine:
    """One movement of what a client is owed."""

    at: Annotated[datetime, "When."]
    kind: Annotated[JournalKind, "What it records."]
    reason: Annotated[str, "Why."]
    amount_cents: Annotated[Long, "In favour of the client positive, in cents."]
    balance_cents: Annotated[Long, "What the client is owed after it, in cents."]
    currency: Annotated[str, "ISO 4217 code."]


@dataclass(frozen=True, slots=True)
class Sum:
    """What stands in one book, in one currency."""

    book: Book
    currency: str
    amount_cents: int


@from_row(Sum)
class TrialLine:
    """The sum of one book; all of a currency come to zero."""

    book: Annotated[Book, "Which account of the general ledger."]
    currency: Annotated[str, "ISO 4217 code."]
    amount_cents: Annotated[Long, "In cents; debit positive."]


@strawberry.type
class MoneyQuery:
    """What can be asked about money."""

    @resolver(list[StatementLine], work=200)
    @staticmethod
    async def credit_statement(
        info: Info,
        account_id: Annotated[strawberry.ID, "The client."],
        from_at: Annotated[datetime, "From this instant on."],
        until_at: Annotated[datetime, "Before this instant."],
        currency: Annotated[str, "ISO 4217 code."] = "EUR",
    ) -> Sequence[journal.StatementLine]:
        """What moved a client's balance of credits, oldest first, with the balance after each."""
        row_id = ids.known(account_id, "Account")
        if row_id is None:
            return []
        async with info.context.sessions() as session:
            return await journal.statement(
                session, info.context.actor, row_id,
                from_at=from_at, until_at=until_at, currency=currency,
            )  # fmt: skip

    @resolver(list[TrialLine], work=200)
    @staticmethod
    async def trial_balance(info: Info) -> list[Sum]:
        """The sum of every book you reach; each currency comes to zero."""
        async with info.context.sessions() as session:
            found = await journal.trial_balance(session, info.context.actor)
        return [Sum(book, currency, cents) for (book, currency), cents in sorted(found.items())]

    @resolver(list[BillingLine], work=200)
    @staticmethod
    async def billing(
        info: Info,
        agreement_id: Annotated[strawberry.ID, "The agreement."],
        month_on: Annotated[date, "A day of the month."],
    ) -> list[invoices.BillingLine]:
        """Planned, delivered and billed side by side, by rate."""
        row_id = ids.known(agreement_id, "Agreement")
        if row_id is None:
            return []
        async with info.context.sessions() as session:
            return await invoices.billing(session, info.context.actor, row_id, month_on)

    @lists(Dispute, DisputeRow.opened_at, DisputeRow.id, descending=True)
    @staticmethod
    def disputes(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[DisputeState] | None, "Only those that ended so."] = None,
    ) -> Rows:
        """Contested verdicts, newest first."""
        return among(visible(info, DisputeRow, account_id), DisputeRow.state, states)

    @lists(Invoice, InvoiceRow.issued_on, InvoiceRow.id, descending=True)
    @staticmethod
    def invoices(
        info: Info,
        account_id: AccountFilter = None,
        search: Annotated[str | None, "Only the one with this number: `F2026-00001`."] = None,
    ) -> Rows:
        """Invoices, newest first."""
        return _numbered(visible(info, InvoiceRow, account_id), InvoiceRow.number, search)

    @lists(CreditNote, CreditNoteRow.issued_on, CreditNoteRow.id, descending=True)
    @staticmethod
    def credit_notes(
        info: Info,
        account_id: AccountFilter = None,
        search: Annotated[str | None, "Only the one with this number: `C2026-00001`."] = None,
    ) -> Rows:
        """Credit notes, newest first."""
        return _numbered(visible(info, CreditNoteRow, account_id), CreditNoteRow.number, search)

    @lists(RecoveryCase, CaseRow.opened_at, CaseRow.id, descending=True)
    @staticmethod
    def recovery_cases(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[CaseState] | None, "Only those that stand so."] = None,
    ) -> Rows:
        """What is being made good, newest first."""
        return among(visible(info, CaseRow, account_id), CaseRow.state, states)

    @resolver(CompensationPolicy | None)
    @staticmethod
    async def compensation_policy(info: Info) -> Any:
        """Your company's policy; null when there is none, and for clients."""
        async with info.context.sessions() as session:
            return await session.scalar(visible(info, PolicyRow))


def _numbered(query: Rows, column: Any, search: str | None) -> Rows:
    """Only the document with this number, if one is asked for."""
    return query if search is None else query.where(column == (read_number(search) or ""))
