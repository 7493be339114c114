"""Sources of KPIs about money: credits of what was invoiced, accuracy of invoices, payment on time."""

from typing import Any

from sqlalchemy import Integer, Select, cast, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from domain.accounts.model import Account, Tenant
from domain.invoices.model import CreditNote, DeliveredLine, Invoice, InvoiceLine, Payment
from domain.journal.model import Book, JournalEntry, JournalKind, JournalLine
from domain.kpis.source_columns import fact, hit, local_midnight, whole


def credits_share() -> Select[Any]:
    """Select invoices as denominators, and movements of the cost of credits as numerators."""
    nowhere = literal(None, Invoice.id.type)
    invoiced = (
        fact(
            "Invoice",
            Invoice,
            nowhere,
            local_midnight(Invoice.issued_on),
            whole(0),
            Invoice.net_cents,
        )
        .join(Account, Account.id == Invoice.account_id)
        .join(Tenant, Tenant.id == Invoice.tenant_id)
        .where(Invoice.currency == Tenant.currency)
    )
    cost = (Book.SERVICE_RECOVERY, Book.GOODWILL)
    credited = (
        fact(
            "Credit",
            JournalLine,
            nowhere,
            JournalEntry.at,
            JournalLine.amount_cents,
            whole(0),
            subject=JournalEntry.subject_id,
        )
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .join(Tenant, Tenant.id == JournalLine.tenant_id)
        .where(
            JournalLine.book.in_(cost),
            JournalEntry.kind.in_([JournalKind.GRANT, JournalKind.ADJUST]),
            JournalLine.currency == Tenant.currency,
        )
    )
    both = invoiced.union_all(credited).subquery()
    return select(both)


def billing_accuracy() -> Select[Any]:
    """Select invoices, and whether a delivery of their period was corrected downwards after they were issued."""
    other = aliased(Invoice)
    corrected = exists(
        select(DeliveredLine.id)
        .join(InvoiceLine, InvoiceLine.id == DeliveredLine.invoice_line_id, isouter=True)
        .join(other, other.id == InvoiceLine.invoice_id, isouter=True)
        .where(
            DeliveredLine.agreement_id == Invoice.agreement_id,
            DeliveredLine.quantity_milli < 0,
            DeliveredLine.delivered_on.between(Invoice.period_from_on, Invoice.period_until_on),
            or_(other.id.is_(None), other.period_from_on > Invoice.period_from_on),
        )
        .correlate(Invoice)
    )
    return fact(
        "Invoice",
        Invoice,
        literal(None, Invoice.id.type),
        local_midnight(Invoice.issued_on),
        hit(~corrected),
        whole(1),
    ).join(Account, Account.id == Invoice.account_id)


def on_time_payment() -> Select[Any]:
    """Select invoices at the end of their last day of payment, and whether they were covered by then."""
    paid = (
        select(func.coalesce(func.sum(Payment.amount_cents), 0))
        .where(
            Payment.invoice_id == Invoice.id,
            Payment.reverses_id.is_(None),
            Payment.reversed_at.is_(None),
            Payment.paid_on <= Invoice.due_on,
        )
        .correlate(Invoice)
        .scalar_subquery()
    )
    credited = (
        select(func.coalesce(func.sum(CreditNote.gross_cents), 0))
        .where(CreditNote.invoice_id == Invoice.id)
        .correlate(Invoice)
        .scalar_subquery()
    )
    return fact(
        "Invoice",
        Invoice,
        literal(None, Invoice.id.type),
        local_midnight(Invoice.due_on + cast(1, Integer)),
        hit(paid + credited >= Invoice.gross_cents),
        whole(1),
    ).join(Account, Account.id == Invoice.account_id)
