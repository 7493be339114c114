"""Invoices, credit notes and payments."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import agreements, invoices
from domain.agreements import Unit
from domain.invoices import VatCategory
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import from_row, resolver
from schema.payouts import Payout

InvoiceId = Annotated[UUID, GlobalIdOf("Invoice")]
PaymentId = Annotated[UUID, GlobalIdOf("Payment")]
Row = strawberry.Parent[invoices.Invoice]
NoteRow = strawberry.Parent[invoices.CreditNote]
PaymentRow = strawberry.Parent[invoices.Payment]


@from_row(invoices.InvoiceLine)
class InvoiceLine:
    """Line of an invoice: a delivered rate, or the fee of the terms."""

    position: Annotated[int, "Number of the line: 1, 2, 3 …"]
    name: Annotated[str, "Name of the service or fee."]
    quantity_milli: Annotated[Long, "Quantity in thousandths of the unit."]
    unit: Annotated[Unit, "Unit to which the price applies."]
    price_cents: Annotated[Long, "Price of one unit in cents, without VAT."]
    net_cents: Annotated[Long, "Amount of the line in cents, without VAT."]
    vat_category: Annotated[VatCategory, "VAT category of the line."]
    vat_rate_bps: Annotated[int, "VAT rate in basis points (hundredths of a percent)."]


@from_row(invoices.CreditNoteLine)
class CreditNoteLine:
    """Line of a credit note: one movement of one credit. A reversed movement has a negative quantity."""

    position: Annotated[int, "Number of the line: 1, 2, 3 …"]
    name: Annotated[str, "Name of the credit, as printed."]
    quantity_milli: Annotated[Long, "Quantity in thousandths: 1000, or -1000 for a reversal."]
    price_cents: Annotated[Long, "Price of one unit in cents, without VAT."]
    net_cents: Annotated[Long, "Amount in cents without VAT; positive in favour of the client."]
    vat_category: Annotated[VatCategory, "VAT category of the line."]
    vat_rate_bps: Annotated[int, "VAT rate in basis points (hundredths of a percent)."]


@from_row(invoices.CreditNote)
class CreditNote(Node):
    """Credit note: credits set off against an invoice, or the remaining credits when no invoice follows."""

    number: Annotated[str, "Number without gaps, per company and year."]
    issued_on: Annotated[date, "Date of issue of the document."]
    period_from_on: Annotated[date, "First day of the billed month."]
    period_until_on: Annotated[date, "Last day of the billed month."]
    currency: Annotated[str, "Currency of the document, as an ISO 4217 code."]
    net_cents: Annotated[Long, "Total amount in cents, without VAT."]
    vat_cents: Annotated[Long, "Total VAT, in cents."]
    gross_cents: Annotated[Long, "Total amount in cents, with VAT."]

    @resolver(bool)
    @staticmethod
    def closing(row: NoteRow) -> bool:
        """Whether no invoice follows to set it off against, because the agreement ended or its currency changed."""
        return row.closing

    @resolver(list[CreditNoteLine])
    @staticmethod
    async def lines(row: NoteRow, info: Info) -> list[invoices.CreditNoteLine]:
        """Lines of the credit note, in order."""
        return await info.context.children(
            invoices.CreditNoteLine.credit_note_id,
            row.id,
            order=(invoices.CreditNoteLine.position,),
        )

    @resolver(list[Payout])
    @staticmethod
    async def payouts(row: NoteRow, info: Info) -> list[invoices.Payout]:
        """Payouts to the client for a closing credit note."""
        return await _payouts(row, info)

    @resolver(Long)
    @staticmethod
    async def open_cents(row: NoteRow, info: Info) -> int:
        """Amount of a closing credit note still to be paid out, in cents; 0 for a note set off against an invoice."""
        if not row.closing:
            return 0
        paid = await _payouts(row, info)
        still: int = row.gross_cents - sum(each.amount_cents for each in paid)
        return still

    @resolver(str)
    @staticmethod
    def pdf_path(row: NoteRow) -> str:
        """Path on this server of the PDF with the e-invoice inside; send the `Authorization` header of the API."""
        return f"/credit-notes/{row.id}.pdf"

    @resolver(str)
    @staticmethod
    def xml_path(row: NoteRow) -> str:
        """Path on this server of the e-invoice (UBL 2.1, NLCIUS); send the `Authorization` header of the API."""
        return f"/credit-notes/{row.id}.xml"


@from_row(invoices.Payment)
class Payment(Node):
    """Payment received for an invoice, or the reversal of such a booking."""

    amount_cents: Annotated[Long, "Amount in cents; negative for a reversal."]
    paid_on: Annotated[date, "Day on which the payment was received."]
    reference: Annotated[str, "Reference of the bank transaction."]
    reversed_at: Annotated[
        datetime | None, "Time at which the booking was reversed; null while it is valid."
    ]


@from_row(invoices.Invoice)
class Invoice(Node):
    """Invoice to a client for one month of one agreement."""

    number: Annotated[str, "Number without gaps, per company and year."]
    issued_on: Annotated[date, "Date of issue of the document."]
    due_on: Annotated[date, "Day by which the invoice must be paid."]
    period_from_on: Annotated[date, "First day of the billed month."]
    period_until_on: Annotated[date, "Last day of the billed month."]
    currency: Annotated[str, "Currency of the document, as an ISO 4217 code."]
    net_cents: Annotated[Long, "Total amount in cents, without VAT."]
    vat_cents: Annotated[Long, "Total VAT, in cents."]
    gross_cents: Annotated[Long, "Total amount in cents, with VAT."]

    @resolver(list[InvoiceLine])
    @staticmethod
    async def lines(row: Row, info: Info) -> list[invoices.InvoiceLine]:
        """Lines of the invoice, each derived from the terms or a delivery."""
        return await info.context.children(
            invoices.InvoiceLine.invoice_id, row.id, order=(invoices.InvoiceLine.position,)
        )

    @resolver(CreditNote | None)
    @staticmethod
    async def credit_note(row: Row, info: Info) -> invoices.CreditNote | None:
        """Credit note set off against this invoice; null when there is none."""
        note: invoices.CreditNote | None = await info.context.get_by(
            invoices.CreditNote.invoice_id, row.id
        )
        return note

    @resolver(list[Payment])
    @staticmethod
    async def payments(row: Row, info: Info) -> list[invoices.Payment]:
        """Payments booked for this invoice."""
        return await _payments(row, info)

    @resolver(Long)
    @staticmethod
    async def open_cents(row: Row, info: Info) -> int:
        """Amount that is neither credited nor paid, in cents."""
        note = await info.context.get_by(invoices.CreditNote.invoice_id, row.id)
        paid = await _payments(row, info)
        credited = 0 if note is None else note.gross_cents
        still: int = row.gross_cents - credited - sum(each.amount_cents for each in paid)
        return still

    agreement = to_one(
        "Agreement",
        agreements.Agreement,
        "agreement_id",
        "Agreement from which the invoice follows.",
    )


async def _payments(row: invoices.Invoice, info: Info) -> list[invoices.Payment]:
    payment = invoices.Payment
    return await info.context.children(
        payment.invoice_id, row.id, order=(payment.paid_on, payment.id)
    )


async def _payouts(row: invoices.CreditNote, info: Info) -> list[invoices.Payout]:
    payout = invoices.Payout
    return await info.context.children(
        payout.credit_note_id, row.id, order=(payout.paid_on, payout.id)
    )


@mutation_fields
class InvoiceMutation:
    """Mutations of payments for invoices."""

    @mutation(Payment)
    @staticmethod
    async def book_payment(
        ask: MutationContext,
        invoice_id: Annotated[InvoiceId, "Invoice that was paid."],
        amount_cents: Annotated[Long, "Amount received, in cents."],
        paid_on: Annotated[date, "Day on which the payment was received."],
        reference: Annotated[str, "Reference of the bank transaction; each is booked once."],
    ) -> invoices.Payment:
        """Book a payment for an invoice, at most its open amount."""
        return await invoices.pay(
            ask.tx, invoice_id, amount_cents=amount_cents, paid_on=paid_on, reference=reference
        )

    @mutation(Payment)
    @staticmethod
    async def reverse_payment(
        ask: MutationContext,
        id: Annotated[PaymentId, "Payment that was booked wrongly."],
        reason: Annotated[str, "Reason for the reversal; it stays in the ledger."],
    ) -> invoices.Payment:
        """Reverse a payment by a counter-entry; the open amount of its invoice is as before the payment."""
        return await invoices.reverse(ask.tx, id, reason=reason)
