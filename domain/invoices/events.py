"""Facts about invoices, credit notes and payments; amounts in cents."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PartySet(Fact):
    """Billing details changed; the subject is the row of the company or of a client.

    `before` (null for the first time) and `after` hold the values as JSON.
    """

    kind: ClassVar[str] = "billing_party.set"
    subject_type: ClassVar[str | None] = "BillingParty"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})
    before: str | None
    after: str


class Planned(Fact):
    """A quantity of a rate was planned for a month; the subject is the agreement. `before`: null for the first."""

    kind: ClassVar[str] = "agreement.planned"
    subject_type: ClassVar[str | None] = "Agreement"
    month_on: date
    rate_code: str
    quantity_milli: int
    before: int | None


class ServiceDelivered(Fact):
    """A quantity of a rate was delivered on a day; the subject is the agreement."""

    kind: ClassVar[str] = "agreement.delivered"
    subject_type: ClassVar[str | None] = "Agreement"
    line_id: UUID
    rate_code: str
    delivered_on: date
    quantity_milli: int


class InvoiceIssued(Fact):
    """An invoice was issued."""

    kind: ClassVar[str] = "invoice.issued"
    subject_type: ClassVar[str | None] = "Invoice"
    number: str
    gross_cents: int
    currency: str
    due_on: date


class InvoicePaid(Fact):
    """A payment for an invoice was booked."""

    kind: ClassVar[str] = "invoice.paid"
    subject_type: ClassVar[str | None] = "Invoice"
    payment_id: UUID
    amount_cents: int
    paid_on: date


class PaymentReversed(Fact):
    """A payment booked by mistake was reversed by a counter-entry; the subject is the invoice."""

    kind: ClassVar[str] = "invoice.payment_reversed"
    subject_type: ClassVar[str | None] = "Invoice"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    payment_id: UUID
    reverses_id: UUID
    amount_cents: int
    reason: str


class CreditNoteIssued(Fact):
    """Credits were set off against an invoice; or, `closing`, the rest is credited when no invoice will follow."""

    kind: ClassVar[str] = "credit_note.issued"
    subject_type: ClassVar[str | None] = "CreditNote"
    invoice_id: UUID | None
    number: str
    net_cents: int
    gross_cents: int
    currency: str
    closing: bool = False


class PayoutBooked(Fact):
    """A payout for a closing credit note was booked; with the open amount before and after."""

    kind: ClassVar[str] = "credit_note.paid_out"
    subject_type: ClassVar[str | None] = "CreditNote"
    payout_id: UUID
    amount_cents: int
    currency: str
    paid_on: date
    open_was_cents: int
    open_cents: int


class PayoutTakenBack(Fact):
    """A payout booked by mistake was reversed by a counter-entry; the subject is the credit note."""

    kind: ClassVar[str] = "credit_note.payout_reversed"
    subject_type: ClassVar[str | None] = "CreditNote"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    payout_id: UUID
    reverses_id: UUID
    amount_cents: int
    currency: str
    open_was_cents: int
    open_cents: int
    reason: str
