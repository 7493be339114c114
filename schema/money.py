"""What can be asked about money: statements, balances, disputes, invoices, and what is made good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import select

from domain import compensation, invoices, journal, recovery
from domain.compensation import DisputeState
from domain.journal import Book, JournalKind
from domain.recovery import CaseState
from schema import ids
from schema.context import Info
from schema.credits import CompensationPolicy, Dispute
from schema.fence import seen
from schema.invoices import BillingLine, CreditNote, Invoice
from schema.pages import After, Before, Connection, First, Last, Order, Page, Window, page
from schema.recovery import RecoveryCase
from schema.scalars import Long
from schema.thin import answers, shows

AccountFilter = Annotated[strawberry.ID | None, "Only of this client."]


@shows(journal.StatementLine)
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


@shows(Sum)
class TrialLine:
    """The sum of one book; all of a currency come to zero."""

    book: Annotated[Book, "Which account of the general ledger."]
    currency: Annotated[str, "ISO 4217 code."]
    amount_cents: Annotated[Long, "In cents; debit positive."]


@strawberry.type
class MoneyQuery:
    """What can be asked about money."""

    @answers(list[StatementLine])
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

    @answers(list[TrialLine])
    @staticmethod
    async def trial_balance(info: Info) -> list[Sum]:
        """The sum of every book you reach; each currency comes to zero."""
        async with info.context.sessions() as session:
            found = await journal.trial_balance(session, info.context.actor)
        return [Sum(book, currency, cents) for (book, currency), cents in sorted(found.items())]

    @answers(list[BillingLine])
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

    @answers(Connection[Dispute])
    @staticmethod
    async def disputes(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[DisputeState] | None, "Only those that ended so."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Contested verdicts, newest first."""
        row = compensation.Dispute
        query = _of(info, row, account_id)
        if states is not None:
            query = query.where(row.state.in_(states))
        order = Order((row.opened_at, row.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Invoice])
    @staticmethod
    async def invoices(
        info: Info,
        account_id: AccountFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Invoices, newest first."""
        row = invoices.Invoice
        order = Order((row.issued_on, row.id), descending=True)
        window = Window(first, after, last, before)
        return await page(info.context, _of(info, row, account_id), order, window)

    @answers(Connection[CreditNote])
    @staticmethod
    async def credit_notes(
        info: Info,
        account_id: AccountFilter = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Credit notes, newest first."""
        row = invoices.CreditNote
        order = Order((row.issued_on, row.id), descending=True)
        window = Window(first, after, last, before)
        return await page(info.context, _of(info, row, account_id), order, window)

    @answers(Connection[RecoveryCase])
    @staticmethod
    async def recovery_cases(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[CaseState] | None, "Only those that stand so."] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """What is being made good, newest first."""
        row = recovery.RecoveryCase
        query = _of(info, row, account_id)
        if states is not None:
            query = query.where(row.state.in_(states))
        order = Order((row.opened_at, row.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(CompensationPolicy | None)
    @staticmethod
    async def compensation_policy(info: Info) -> Any:
        """Your company's policy; null when there is none, and for clients."""
        row = compensation.CompensationPolicy
        async with info.context.sessions() as session:
            return await session.scalar(select(row).where(seen(info.context.actor, row)))


def _of(info: Info, row: Any, account_id: str | None) -> Any:
    query = select(row).where(seen(info.context.actor, row))
    if account_id is None:
        return query
    return query.where(row.account_id == ids.known(account_id, "Account"))
