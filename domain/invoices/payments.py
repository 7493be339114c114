"""Book payments of clients, never more than is open, and reverse wrong bookings."""

from datetime import date
from uuid import UUID

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_text
from domain.invoices import bookings
from domain.invoices.events import InvoicePaid, PaymentReversed
from domain.invoices.model import Invoice, Payment
from domain.invoices.reads import outstanding


async def pay(
    tx: Tx, invoice_id: UUID, *, amount_cents: int, paid_on: date, reference: str
) -> Payment:
    """Book a payment for an invoice, once per reference, and not more than is open."""
    bookings.must_be_bookable(
        tx.actor, amount_cents=amount_cents, paid_on=paid_on, reference=reference, at=tx.at
    )
    invoice = await tx.get(Invoice, invoice_id, "invoice", argument="invoiceId", lock=True)
    row = Payment(
        id=uuid7(),
        tenant_id=invoice.tenant_id,
        account_id=invoice.account_id,
        invoice_id=invoice.id,
        amount_cents=amount_cents,
        paid_on=paid_on,
        reference=reference,
    )
    await bookings.must_be_new(tx.session, row)
    open_cents = await outstanding(tx.session, invoice)
    if amount_cents > open_cents:
        raise Refused(
            Code.INVALID,
            f"Of invoice {invoice.number} {max(0, open_cents) / 100:.2f} {invoice.currency} is open; "
            "book at most that, and the rest for the invoice it is meant for.",
            argument="amountCents",
        )
    await bookings.store(tx, invoice, row)
    tx.record(
        InvoicePaid(
            account_id=invoice.account_id,
            subject_id=invoice.id,
            at=tx.at,
            payment_id=row.id,
            amount_cents=amount_cents,
            paid_on=paid_on,
        )
    )
    return row


async def reverse(tx: Tx, payment_id: UUID, *, reason: str) -> Payment:
    """Reverse a payment that was booked by mistake; return the counter-entry."""
    tx.actor.must(Right.PAY)
    must_be_text(reason, "reason")
    found = await tx.get(Payment, payment_id, "payment")
    invoice = await tx.get(Invoice, found.invoice_id, "payment", lock=True)
    await tx.session.refresh(found)
    row = bookings.counter_entry(found, at=tx.at)
    await bookings.store(tx, invoice, row)
    tx.record(
        PaymentReversed(
            account_id=invoice.account_id,
            subject_id=invoice.id,
            at=tx.at,
            payment_id=row.id,
            reverses_id=found.id,
            amount_cents=row.amount_cents,
            reason=reason,
        )
    )
    return row
