"""Facts about invoices, credit notes and payments; amounts in cents."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PartySet(Fact):
    """Who stands on documents changed; subject is the row of the company or of a client.

    `before` (null for the first time) and `after` hold the values as JSON.
    """

    kind: ClassVar[str] = "billing_party.set"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    before: str | None
    after: str


class Planned(Fact):
    """So much of a rate is planned for a month; subject is the agreement. `before` is what was, null for nothing."""

    kind: ClassVar[str] = "agreement.planned"
    month_on: date
    rate_code: str
    quantity_milli: int
    before: int | None


class ServiceDelivered(Fact):
    """So much of a rate was delivered on a day; subject is the agreement."""

    kind: ClassVar[str] = "agreement.delivered"
    line_id: UUID
    rate_code: str
    delivered_on: date
    quantity_milli: int


class InvoiceIssued(Fact):
    """An invoice was issued."""

    kind: ClassVar[str] = "invoice.issued"
    number: str
    gross_cents: int
    currency: str
    due_on: date


class InvoicePaid(Fact):
    """Money came in for an invoice."""

    kind: ClassVar[str] = "invoice.paid"
    payment_id: UUID
    amount_cents: int
    paid_on: date


class PaymentReversed(Fact):
    """A payment that was booked wrongly is taken back by a counter-entry; subject is the invoice."""

    kind: ClassVar[str] = "invoice.payment_reversed"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    payment_id: UUID
    reverses_id: UUID
    amount_cents: int
    reason: str


class CreditNoteIssued(Fact):
    """Credits were set off against an invoice; or, `closing`, what is left is given when no invoice will come."""

    kind: ClassVar[str] = "credit_note.issued"
    invoice_id: UUID | None
    number: str
    net_cents: int
    gross_cents: int
    currency: str
    closing: bool = False


class PayoutBooked(Fact):
    """Money was paid to a client for a closing credit note; with what of it was open before and is open after."""

    kind: ClassVar[str] = "credit_note.paid_out"
    payout_id: UUID
    amount_cents: int
    currency: str
    paid_on: date
    open_was_cents: int
    open_cents: int


class PayoutTakenBack(Fact):
    """A payout that was booked wrongly is taken back by a counter-entry; subject is the credit note."""

    kind: ClassVar[str] = "credit_note.payout_reversed"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    payout_id: UUID
    reverses_id: UUID
    amount_cents: int
    currency: str
    open_was_cents: int
    open_cents: int
    reason: str
