"""Book payments of clients, never more than is open, and reverse wrong bookings."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Actor, Right
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_day
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.core.text_rules import LINE, must_be_line, must_be_text
from domain.invoices.events import InvoicePaid, PaymentReversed
from domain.invoices.model import Invoice, Payment
from domain.invoices.reads import outstanding
from domain.journal import Book, JournalKind


async def pay(
    session: AsyncSession,
    actor: Actor,
    invoice_id: UUID,
    *,
    amount_cents: int,
    paid_on: date,
    reference: str,
    at: datetime,
) -> Payment:
    """Book a payment for an invoice, once per reference, and not more than is open."""
    actor.must(Right.BILL)
    must_be_line(reference, "reference")
    must_be_cents(amount_cents, "amountCents", least=1)
    must_be_day(paid_on, "paidOn", at)
    invoice = await _locked(session, actor, invoice_id)
    if invoice is None:
        raise Refused(Code.NOT_FOUND, "No such invoice.", argument="invoiceId")
    row = Payment(
        id=uuid7(), tenant_id=invoice.tenant_id, account_id=invoice.account_id,
        invoice_id=invoice.id, amount_cents=amount_cents, paid_on=paid_on, reference=reference,
    )  # fmt: skip
    booked = await session.scalar(
        select(Payment.id).where(
            Payment.invoice_id == invoice.id,
            Payment.reference == reference,
            Payment.reverses_id.is_(None),
            Payment.reversed_at.is_(None),
        )
    )
    if booked is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            f"A payment with the reference {reference} is already booked.",
            argument="reference",
        )
    open_cents = await outstanding(session, invoice)
    if amount_cents > open_cents:
        raise Refused(
            Code.INVALID,
            f"Of invoice {invoice.number} {max(0, open_cents) / 100:.2f} {invoice.currency} is open; "
            "book at most that, and the rest for the invoice it is meant for.",
            argument="amountCents",
        )
    session.add(row)
    await session.flush()
    await _post(session, actor, invoice, row, JournalKind.PAYMENT, at=at)
    record(
        session,
        actor,
        InvoicePaid(
            account_id=invoice.account_id, subject_id=invoice.id, at=at, payment_id=row.id,
            amount_cents=amount_cents, paid_on=paid_on,
        ),
    )  # fmt: skip
    return row


async def reverse(
    session: AsyncSession, actor: Actor, payment_id: UUID, *, reason: str, at: datetime
) -> Payment:
    """Reverse a payment that was booked by mistake; return the counter-entry."""
    actor.must(Right.BILL)
    must_be_text(reason, "reason")
    found = await session.scalar(
        select(Payment).where(Payment.id == payment_id, actor.scope(Payment))
    )
    if found is None:
        raise Refused(Code.NOT_FOUND, "No such payment.", argument="id")
    invoice = await _locked(session, actor, found.invoice_id)
    if invoice is None:
        raise Refused(Code.NOT_FOUND, "No such payment.", argument="id")
    await session.refresh(found)
    if found.reverses_id is not None:
        raise Refused(
            Code.INVALID,
            "This is a reversal and cannot be reversed; book the payment again.",
            argument="id",
        )
    if found.reversed_at is not None:
        raise Refused(Code.ALREADY_DONE, "The payment is already reversed.", argument="id")
    found.reversed_at = at
    row = Payment(
        id=uuid7(), tenant_id=found.tenant_id, account_id=found.account_id, invoice_id=invoice.id,
        amount_cents=-found.amount_cents, paid_on=found.paid_on,
        reference=f"reversal of {found.reference}"[:LINE], reverses_id=found.id,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _post(session, actor, invoice, row, JournalKind.REVERSAL, at=at)
    record(
        session,
        actor,
        PaymentReversed(
            account_id=invoice.account_id, subject_id=invoice.id, at=at, payment_id=row.id,
            reverses_id=found.id, amount_cents=row.amount_cents, reason=reason,
        ),
    )  # fmt: skip
    return row


async def _locked(session: AsyncSession, actor: Actor, invoice_id: UUID) -> Invoice | None:
    """Lock an invoice, so that two payments cannot share the same open amount."""
    return await session.scalar(
        select(Invoice)
        .where(Invoice.id == invoice_id, actor.scope(Invoice))
        .with_for_update(key_share=True)
    )


async def _post(
    session: AsyncSession,
    actor: Actor,
    invoice: Invoice,
    payment: Payment,
    kind: JournalKind,
    *,
    at: datetime,
) -> None:
    what = "Payment" if kind is JournalKind.PAYMENT else "Reversal of a payment"
    await journal.post(
        session, actor, account_id=invoice.account_id, agreement_id=invoice.agreement_id,
        subject_id=payment.id, n=1, kind=kind, currency=invoice.currency, at=at,
        reason=f"{what} of invoice {invoice.number}",
        lines={Book.BANK: payment.amount_cents, Book.RECEIVABLE: -payment.amount_cents},
    )  # fmt: skip
