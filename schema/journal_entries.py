"""Entries of the journal about credits and documents."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import journal
from domain.journal import Book, JournalKind
from schema.core.context import Info
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver

enum(
    Book,
    "Book",
    client_credit="Credits owed to clients (liability).",
    service_recovery="Cost of credits for broken promises.",
    goodwill="Cost of goodwill credits to clients.",
    receivable="Amounts that clients owe (receivables).",
    revenue="Revenue from issued invoices.",
    vat="Value added tax to be paid.",
    bank="Money received, less money paid out.",
)
enum(
    JournalKind,
    "JournalKind",
    grant="A credit was granted.",
    adjust="A counter-entry changed the amount of a credit.",
    apply="Credits were set off on a credit note.",
    invoice="An invoice was issued.",
    payment="A payment for an invoice was received.",
    payout="A credit note was paid out to the client.",
    reversal="A payment or payout that was booked wrongly was reversed.",
)

EntryRow = strawberry.Parent[journal.JournalEntry]


@from_row(journal.JournalLine)
class JournalLine:
    """Amount that a journal entry moves in one book; debit is positive."""

    book: Annotated[Book, "Account of the general ledger that is debited or credited."]
    amount_cents: Annotated[Long, "Amount in cents; debit positive, credit negative."]
    currency: Annotated[str, "Currency of the amount, as an ISO 4217 code."]


@from_row(journal.JournalEntry)
class JournalEntry:
    """Journal entry for one movement of money. Entries never change; a further entry corrects an error."""

    n: Annotated[int, "Number of the entry for the credit or document it is about: 1, 2, 3 …"]
    kind: Annotated[JournalKind, "Kind of movement that the entry records."]
    reason: Annotated[str, "Reason for the entry, for people."]
    at: Annotated[datetime, "Time at which the entry was made."]

    @resolver(list[JournalLine])
    @staticmethod
    async def lines(row: EntryRow, info: Info) -> list[journal.JournalLine]:
        """Amounts by book; they sum to zero."""
        return await info.context.children(
            journal.JournalLine.entry_id, row.id, order=(journal.JournalLine.id,)
        )
