"""Bill a closed month, and set off the outstanding credits."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.agreements import Agreement, Rate, Terms, rates_of
from domain.agreements.model import Unit
from domain.compensation import lock_agreement, month_start, next_month
from domain.compensation.model import ClosedMonth
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.invoices.actions import agreement_of, priced
from domain.invoices.events import InvoiceIssued
from domain.invoices.model import CreditNote, DeliveredLine, Invoice, InvoiceLine
from domain.invoices.notes import close_out, set_off
from domain.invoices.numbers import INVOICES, next_number
from domain.invoices.parties import Party
from domain.invoices.reads import as_line, parties
from domain.invoices.rules import MONTH_MILLI, PAYMENT_DAYS, net_cents, totals
from domain.invoices.taxes import Treatment, treatment
from domain.journal import Book, JournalKind

Sourced = tuple[InvoiceLine, list[DeliveredLine]]
"""A line, and the deliveries it covers."""


async def bill(tx: Tx, agreement_id: UUID, month_on: date) -> Invoice | None:
    """Bill a closed month, and set off outstanding credits; None when nothing is to be billed, or it was billed before.

    The fee is that of the terms in force when the month begins, else of the first that come into force in it. There is
    an invoice for each currency: the fee's, and those of other rates that were delivered; the first is returned.
    """
    agreement = await agreement_of(tx.session, tx.actor, agreement_id)
    account = await lock_agreement(tx.session, agreement.id)
    closed = await tx.session.scalar(
        select(ClosedMonth).where(
            ClosedMonth.agreement_id == agreement.id, ClosedMonth.month_on == month_on
        )
    )
    if closed is None:
        raise Refused(Code.INVALID, "The month is not closed.", argument="monthOn")
    await tx.session.refresh(closed)
    if closed.billed_at is not None:
        return None
    sale = await parties(tx.session, account)
    closed.billed_at = tx.at
    taxed = treatment(*sale)
    delivered = await _unbilled(tx.session, agreement.id, next_month(month_on))
    lines: dict[str, list[Sourced]] = {}
    for currency, line in [
        *await _fee(tx.session, agreement, account, month_on, taxed),
        *_delivered(delivered, await rates_of(tx.session, agreement.id), taxed),
    ]:
        lines.setdefault(currency, []).append(line)
    issued = [
        await _issue(tx, agreement, month_on, sale, currency, found)
        for currency, found in lines.items()
    ]
    for invoice in issued:
        await set_off(tx, invoice)
    await tx.session.flush()
    await close_out(tx, agreement, account)
    return issued[0] if issued else None


async def close_credits(tx: Tx, agreement_id: UUID) -> list[CreditNote]:
    """Issue closing notes for the rest of an agreement's credits when no invoice will follow."""
    agreement = await agreement_of(tx.session, tx.actor, agreement_id)
    account = await lock_agreement(tx.session, agreement.id)
    await tx.session.refresh(agreement)
    return await close_out(tx, agreement, account)


async def _issue(
    tx: Tx,
    agreement: Agreement,
    month_on: date,
    sale: tuple[Party, Party],
    currency: str,
    lines: Sequence[Sourced],
) -> Invoice:
    """Insert an invoice with its lines, its journal entry and its fact."""
    for position, (line, _source) in enumerate(lines, 1):
        line.position = position
    sums = totals(as_line(line) for line, _ in lines)
    tenant = await tx.session.get_one(Tenant, agreement.tenant_id)
    issued_on = tx.at.astimezone(ZoneInfo(tenant.time_zone)).date()
    invoice = Invoice(
        id=uuid7(),
        tenant_id=agreement.tenant_id,
        account_id=agreement.account_id,
        agreement_id=agreement.id,
        number=await next_number(tx.session, agreement.tenant_id, INVOICES, issued_on.year),
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=PAYMENT_DAYS),
        period_from_on=month_on,
        period_until_on=next_month(month_on) - timedelta(days=1),
        currency=currency,
        supplier=asdict(sale[0]),
        customer=asdict(sale[1]),
        net_cents=sums.net_cents,
        vat_cents=sums.vat_cents,
        gross_cents=sums.gross_cents,
    )
    tx.session.add(invoice)
    await tx.session.flush()
    for line, source in lines:
        line.tenant_id, line.account_id = invoice.tenant_id, invoice.account_id
        line.invoice_id = invoice.id
        tx.session.add(line)
        await tx.session.flush()
        await tx.session.execute(
            update(DeliveredLine)
            .where(DeliveredLine.id.in_([each.id for each in source]))
            .values(invoice_line_id=line.id)
        )
    if sums.gross_cents or sums.net_cents:
        await journal.post(
            tx,
            on=invoice,
            subject_id=invoice.id,
            kind=JournalKind.INVOICE,
            reason=f"Invoice {invoice.number}",
            lines={
                Book.RECEIVABLE: sums.gross_cents,
                Book.REVENUE: -sums.net_cents,
                Book.VAT: -sums.vat_cents,
            },
        )
    tx.record(
        InvoiceIssued(
            account_id=invoice.account_id,
            subject_id=invoice.id,
            at=tx.at,
            number=invoice.number,
            gross_cents=invoice.gross_cents,
            currency=currency,
            due_on=invoice.due_on,
        )
    )
    return invoice


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
    delivered: Sequence[DeliveredLine], rates: Sequence[Rate], taxed: Treatment
) -> list[tuple[str, Sourced]]:
    """Return a line for each price with its currency, by code and day of the price."""
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
            rate_id=rate.id,
            name=rate.name,
            quantity_milli=quantity,
            unit=rate.unit,
            price_cents=rate.price_cents,
            net_cents=net_cents(quantity, rate.price_cents),
            vat_category=taxed.category,
            vat_rate_bps=taxed.rate_bps,
        )
        found.append((rate.currency, (line, source)))
    return found


async def _fee(
    session: AsyncSession, agreement: Agreement, account: Account, month_on: date, taxed: Treatment
) -> list[tuple[str, Sourced]]:
    """Return the line for the period fee with the currency of its terms, if there is a fee."""
    from_at = month_start(month_on, account.time_zone)
    until_at = month_start(next_month(month_on), account.time_zone)
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
        terms_id=held[0].id,
        name=agreement.title,
        quantity_milli=MONTH_MILLI,
        unit=Unit.MONTH,
        price_cents=fee,
        net_cents=fee,
        vat_category=taxed.category,
        vat_rate_bps=taxed.rate_bps,
    )
    return [(held[0].currency, (line, []))]
