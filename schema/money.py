"""Queries about money: statements, balances, disputes, invoices and recovery cases."""

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
from domain.invoices import read_number
from domain.journal import Book, JournalKind
from domain.recovery import CaseState
from domain.recovery import RecoveryCase as CaseRow
from schema.core import ids
from schema.core.context import Info
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.roots import query_fields
from schema.core.scalars import Long
from schema.core.types import from_row, resolver
from schema.credits import CompensationPolicy
from schema.disputes import Dispute
from schema.invoices import CreditNote, Invoice
from schema.quantities import BillingLine
from schema.recovery import RecoveryCase


@from_row(journal.StatementLine)
class StatementLine:
    """Movement of the credit balance of a client."""

    at: Annotated[datetime, "Time of the movement."]
    kind: Annotated[JournalKind, "Kind of the journal entry."]
    reason: Annotated[str, "Reason for the entry, for people."]
    amount_cents: Annotated[Long, "Amount in cents; positive in favour of the client."]
    balance_cents: Annotated[Long, "Balance owed to the client after the movement, in cents."]
    currency: Annotated[str, "Currency of the amounts, as an ISO 4217 code."]


@dataclass(frozen=True, slots=True)
class Sum:
    """Balance of one book in one currency."""

    book: Book
    currency: str
    amount_cents: int


@from_row(Sum)
class TrialLine:
    """Balance of one book. The balances of a currency sum to zero."""

    book: Annotated[Book, "Account of the general ledger."]
    currency: Annotated[str, "Currency of the balance, as an ISO 4217 code."]
    amount_cents: Annotated[Long, "Balance in cents; debit is positive."]


@query_fields
class MoneyQuery:
    """Queries about money."""

    @resolver(list[StatementLine], work=200)
    @staticmethod
    async def credit_statement(
        info: Info,
        account_id: Annotated[strawberry.ID, "Account of the client."],
        from_at: Annotated[datetime, "Start of the statement, inclusive."],
        until_at: Annotated[datetime, "End of the statement, exclusive."],
        currency: Annotated[str, "Currency of the statement, as an ISO 4217 code."] = "EUR",
    ) -> Sequence[journal.StatementLine]:
        """Movements of a client's credit balance, oldest first, each with the balance after it."""
        row_id = ids.known(account_id, "Account")
        if row_id is None:
            return []
        async with info.context.sessions() as session:
            return await journal.statement(
                session,
                info.context.actor,
                row_id,
                from_at=from_at,
                until_at=until_at,
                currency=currency,
            )

    @resolver(list[TrialLine], work=200)
    @staticmethod
    async def trial_balance(info: Info) -> list[Sum]:
        """Balances of all books visible to you; each currency sums to zero."""
        async with info.context.sessions() as session:
            found = await journal.trial_balance(session, info.context.actor)
        return [Sum(book, currency, cents) for (book, currency), cents in sorted(found.items())]

    @resolver(list[BillingLine], work=200)
    @staticmethod
    async def billing(
        info: Info,
        agreement_id: Annotated[strawberry.ID, "Agreement to be billed."],
        month_on: Annotated[date, "Any day of the month."],
    ) -> list[invoices.BillingLine]:
        """Planned, delivered and billed quantities of a month, by rate."""
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
        states: Annotated[
            list[DisputeState] | None, "Only disputes in one of these states."
        ] = None,
    ) -> Rows:
        """Disputes of verdicts, newest first."""
        return among(visible(info, DisputeRow, account_id), DisputeRow.state, states)

    @lists(Invoice, InvoiceRow.issued_on, InvoiceRow.id, descending=True)
    @staticmethod
    def invoices(
        info: Info,
        account_id: AccountFilter = None,
        search: Annotated[
            str | None, "Only the invoice with this number, such as `F2026-00001`."
        ] = None,
    ) -> Rows:
        """Invoices visible to you, newest first."""
        return _numbered(visible(info, InvoiceRow, account_id), InvoiceRow.number, search)

    @lists(CreditNote, CreditNoteRow.issued_on, CreditNoteRow.id, descending=True)
    @staticmethod
    def credit_notes(
        info: Info,
        account_id: AccountFilter = None,
        search: Annotated[
            str | None, "Only the credit note with this number, such as `C2026-00001`."
        ] = None,
    ) -> Rows:
        """Credit notes visible to you, newest first."""
        return _numbered(visible(info, CreditNoteRow, account_id), CreditNoteRow.number, search)

    @lists(RecoveryCase, CaseRow.opened_at, CaseRow.id, descending=True)
    @staticmethod
    def recovery_cases(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[CaseState] | None, "Only cases in one of these states."] = None,
    ) -> Rows:
        """Service recovery cases, newest first."""
        return among(visible(info, CaseRow, account_id), CaseRow.state, states)

    @resolver(CompensationPolicy | None)
    @staticmethod
    async def compensation_policy(info: Info) -> Any:
        """Compensation policy of your company; null when there is none, and for clients."""
        async with info.context.sessions() as session:
            return await session.scalar(visible(info, PolicyRow))


def _numbered(query: Rows, column: Any, search: str | None) -> Rows:
    """Select only the document with this number, if one is given."""
    return query if search is None else query.where(column == (read_number(search) or ""))
