"""Bill a closed month, and set off the credits that are due."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.accounts.model import Account, Tenant
from domain.actor import Actor
from domain.agreements import Agreement, Rate, Terms, rates_of
from domain.agreements.model import Unit
from domain.base import uuid7
from domain.compensation.actions import turnstile
from domain.compensation.model import ClosedMonth
from domain.compensation.rules import begins, following
from domain.errors import Code, Refused
from domain.invoices.actions import agreement_of, priced
from domain.invoices.events import (
    CreditNoteIssued,
    InvoiceIssued,
)
from domain.invoices.model import (
    CreditNote,
    CreditNoteLine,
    DeliveredLine,
    DocumentSeries,
    Invoice,
    InvoiceLine,
)
from domain.invoices.reads import as_line, credit_lines, parties
from domain.invoices.rules import (
    MONTH_MILLI,
    PAYMENT_DAYS,
    STANDARD_BPS,
    VatCategory,
    net_cents,
    number,
    totals,
)
from domain.journal import Book, JournalKind
from domain.ledger import record

INVOICES, NOTES = "F", "C"


async def bill(
    session: AsyncSession, actor: Actor, agreement_id: UUID, month_on: date, *, at: datetime
) -> Invoice | None:
    """Bill a closed month, and set off the credits that are due; None when there is nothing to bill, or it was.

    The fee is that of the terms in force when the month begins, else of the first that come into force in it.
    """
    agreement = await agreement_of(session, actor, agreement_id)
    account = await turnstile(session, agreement.id)
    closed = await session.scalar(
        select(ClosedMonth).where(
            ClosedMonth.agreement_id == agreement.id, ClosedMonth.month_on == month_on
        )
    )
    if closed is None:
        raise Refused(Code.INVALID, "The month is not closed.", argument="monthOn")
    await session.refresh(closed)
    if closed.billed_at is not None:
        return None
    supplier, customer = await parties(session, account)
    closed.billed_at = at
    until_on = following(month_on)
    delivered = await _unbilled(session, agreement.id, until_on)
    lines = [
        *await _fee(session, agreement, account, month_on),
        *_delivered(delivered, await rates_of(session, agreement.id)),
    ]
    if not lines:
        return None
    for position, (line, _source) in enumerate(lines, 1):
        line.position = position
    sums = totals(as_line(line) for line, _ in lines)
    tenant = await session.get_one(Tenant, account.tenant_id)
    issued_on = at.astimezone(ZoneInfo(tenant.time_zone)).date()
    invoice = Invoice(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        agreement_id=agreement.id,
        number=await _number(session, account.tenant_id, INVOICES, issued_on.year),
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=PAYMENT_DAYS),
        period_from_on=month_on,
        period_until_on=until_on - timedelta(days=1),
        currency=await _currency(session, agreement.id),
        supplier=asdict(supplier),
        customer=asdict(customer),
        net_cents=sums.net_cents,
        vat_cents=sums.vat_cents,
        gross_cents=sums.gross_cents,
    )
    session.add(invoice)
    await session.flush()
    for line, source in lines:
        line.tenant_id, line.account_id, line.invoice_id = account.tenant_id, account.id, invoice.id
        session.add(line)
        await session.flush()
        await session.execute(
            update(DeliveredLine)
            .where(DeliveredLine.id.in_([each.id for each in source]))
            .values(invoice_line_id=line.id)
        )
    if sums.gross_cents or sums.net_cents:
        await journal.post(
            session, actor, account_id=account.id, agreement_id=agreement.id, subject_id=invoice.id,
            n=1, kind=JournalKind.INVOICE, currency=invoice.currency, at=at,
            reason=f"Invoice {invoice.number}",
            lines={
                Book.RECEIVABLE: sums.gross_cents,
                Book.REVENUE: -sums.net_cents,
                Book.VAT: -sums.vat_cents,
            },
        )  # fmt: skip
    record(
        session,
        actor,
        InvoiceIssued(
            account_id=account.id, subject_id=invoice.id, at=at, number=invoice.number,
            gross_cents=invoice.gross_cents, currency=invoice.currency, due_on=invoice.due_on,
        ),
    )  # fmt: skip
    await _apply(session, actor, invoice, agreement, at=at)
    return invoice


async def _apply(
    session: AsyncSession, actor: Actor, invoice: Invoice, agreement: Agreement, *, at: datetime
) -> CreditNote | None:
    """Set off the movements of credits that are on no note yet; None when they do not favour the client together."""
    found = await credit_lines(session, agreement, currency=invoice.currency)
    sums = totals(line for _, _, line in found)
    if sums.net_cents <= 0:
        return None
    note = CreditNote(
        id=uuid7(),
        tenant_id=invoice.tenant_id,
        account_id=invoice.account_id,
        agreement_id=agreement.id,
        invoice_id=invoice.id,
        number=await _number(session, invoice.tenant_id, NOTES, invoice.issued_on.year),
        issued_on=invoice.issued_on,
        period_from_on=invoice.period_from_on,
        period_until_on=invoice.period_until_on,
        currency=invoice.currency,
        supplier=invoice.supplier,
        customer=invoice.customer,
        net_cents=sums.net_cents,
        vat_cents=sums.vat_cents,
        gross_cents=sums.gross_cents,
    )
    session.add(note)
    await session.flush()
    session.add_all(
        CreditNoteLine(
            tenant_id=note.tenant_id, account_id=note.account_id, credit_note_id=note.id,
            credit_id=credit_id, entry_id=entry_id, **asdict(line),
        )
        for entry_id, credit_id, line in found
    )  # fmt: skip
    await journal.post(
        session, actor, account_id=note.account_id, agreement_id=agreement.id, subject_id=note.id,
        n=1, kind=JournalKind.APPLY, currency=note.currency, at=at,
        reason=f"Credit note {note.number} on invoice {invoice.number}",
        lines={
            Book.CLIENT_CREDIT: note.net_cents,
            Book.VAT: note.vat_cents,
            Book.RECEIVABLE: -note.gross_cents,
        },
    )  # fmt: skip
    record(
        session,
        actor,
        CreditNoteIssued(
            account_id=note.account_id, subject_id=note.id, at=at, invoice_id=invoice.id,
            number=note.number, net_cents=note.net_cents, gross_cents=note.gross_cents,
            currency=note.currency,
        ),
    )  # fmt: skip
    return note


async def _unbilled(
    session: AsyncSession, agreement_id: UUID, until_on: date
) -> Sequence[DeliveredLine]:
    rows = await session.scalars(
        select(DeliveredLine)
        .where(
            DeliveredLine.agreement_id == agreement_id,
            DeliveredLine.delivered_on < until_on,
            DeliveredLine.invoice_line_id.is_(None),
        )
        .order_by(DeliveredLine.delivered_on, DeliveredLine.id)
        .with_for_update()
    )
    return rows.all()


def _delivered(
    delivered: Sequence[DeliveredLine], rates: Sequence[Rate]
) -> list[tuple[InvoiceLine, list[DeliveredLine]]]:
    """A line for each price, by code and day of the price."""
    by_rate: dict[UUID, list[DeliveredLine]] = {}
    for each in delivered:
        rate = priced(rates, each.rate_code, each.delivered_on)
        by_rate.setdefault(rate.id, []).append(each)
    found = []
    for rate in rates:
        source = by_rate.get(rate.id)
        if not source:
            continue
        quantity = sum(each.quantity_milli for each in source)
        line = InvoiceLine(
            rate_id=rate.id, name=rate.name, quantity_milli=quantity, unit=rate.unit,
            price_cents=rate.price_cents, net_cents=net_cents(quantity, rate.price_cents),
            vat_category=VatCategory.STANDARD, vat_rate_bps=STANDARD_BPS,
        )  # fmt: skip
        found.append((line, source))
    return found


async def _fee(
    session: AsyncSession, agreement: Agreement, account: Account, month_on: date
) -> list[tuple[InvoiceLine, list[DeliveredLine]]]:
    """The line for the period fee, if there is one."""
    from_at = begins(month_on, account.time_zone)
    until_at = begins(following(month_on), account.time_zone)
    if agreement.ended_at is not None and agreement.ended_at <= from_at:
        return []
    versions = await session.scalars(
        select(Terms).where(Terms.agreement_id == agreement.id).order_by(Terms.number)
    )
    held = [
        terms
        for terms in versions
        if (terms.in_force.lower is None or terms.in_force.lower < until_at)
        and (terms.in_force.upper is None or terms.in_force.upper > from_at)
    ]
    if not held or not held[0].period_fee_cents:
        return []
    fee = held[0].period_fee_cents
    line = InvoiceLine(
        terms_id=held[0].id, name=agreement.title, quantity_milli=MONTH_MILLI, unit=Unit.MONTH,
        price_cents=fee, net_cents=fee, vat_category=VatCategory.STANDARD,
        vat_rate_bps=STANDARD_BPS,
    )  # fmt: skip
    return [(line, [])]


async def _currency(session: AsyncSession, agreement_id: UUID) -> str:
    query = select(Terms.currency).where(Terms.agreement_id == agreement_id)
    found = await session.scalar(query.order_by(Terms.number.desc()).limit(1))
    return str(found)


async def _number(session: AsyncSession, tenant_id: UUID, series: str, year: int) -> str:
    """The next number; it is given back when the transaction is, so there are no gaps."""
    said = insert(DocumentSeries).values(tenant_id=tenant_id, series=series, year=year, last=1)
    n = await session.scalar(
        said.on_conflict_do_update(
            index_elements=["tenant_id", "series", "year"], set_={"last": DocumentSeries.last + 1}
        ).returning(DocumentSeries.last)
    )
    return number(series, year, int(n or 0))
