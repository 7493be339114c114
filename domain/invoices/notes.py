"""Credit notes: credits are set off against an invoice, and the rest is closed when no invoice will follow."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.agreements.model import Agreement, Terms
from domain.compensation import month_of, next_month
from domain.compensation.model import ClosedMonth, CompensationPolicy, Credit
from domain.core.base import uuid7
from domain.invoices.events import CreditNoteIssued
from domain.invoices.model import BillingParty, CreditNote, CreditNoteLine, Invoice, InvoiceLine
from domain.invoices.movements import Movement, movements
from domain.invoices.numbers import NOTES, next_number
from domain.invoices.reads import parties
from domain.invoices.rules import fitting_lines, totals
from domain.invoices.taxes import HOME, Treatment, treatment
from domain.invoices.vat import VatCategory
from domain.journal import Book, JournalKind


async def set_off(tx: Tx, invoice: Invoice) -> CreditNote | None:
    """Set off what is on no note yet, up to the invoice's amount; the rest waits for the next one.

    None when the credits in total do not favour the client, or the invoice has no amount left.
    """
    taxed = await tx.session.execute(
        select(InvoiceLine.vat_category, InvoiceLine.vat_rate_bps)
        .where(InvoiceLine.invoice_id == invoice.id)
        .order_by(InvoiceLine.position)
        .limit(1)
    )
    how = await _treatment(tx.session, invoice.tenant_id, Treatment(*taxed.one()))
    found = await movements(tx.session, invoice.agreement_id, invoice.currency, how)
    note = CreditNote(
        invoice_id=invoice.id,
        tenant_id=invoice.tenant_id,
        account_id=invoice.account_id,
        agreement_id=invoice.agreement_id,
        issued_on=invoice.issued_on,
        period_from_on=invoice.period_from_on,
        period_until_on=invoice.period_until_on,
        currency=invoice.currency,
        supplier=invoice.supplier,
        customer=invoice.customer,
    )
    return await _issue(tx, note, found, most_cents=invoice.gross_cents)


async def close_out(tx: Tx, agreement: Agreement, account: Account) -> list[CreditNote]:
    """Issue a closing note for credits of past months for which no invoice will follow.

    That is the case after the last month of an ended agreement was billed, and for a currency in which the agreement is
    no longer billed. The caller holds the lock of the agreement.
    """
    supplier, customer = await parties(tx.session, account)
    tenant = await tx.session.get_one(Tenant, account.tenant_id)
    how = await _treatment(tx.session, account.tenant_id, treatment(supplier, customer))
    this_month = month_of(tx.at, account.time_zone)
    issued = []
    for currency in await _currencies(tx.session, agreement.id):
        if await _is_billed_again(tx.session, agreement, account, currency, at=tx.at):
            continue
        found = [
            each
            for each in await movements(tx.session, agreement.id, currency, how)
            if each.month_on < this_month
        ]
        if not found:
            continue
        months = [each.month_on for each in found]
        last = await tx.session.scalar(
            select(Invoice.id)
            .where(Invoice.agreement_id == agreement.id, Invoice.currency == currency)
            .order_by(Invoice.period_from_on.desc())
            .limit(1)
        )
        note = CreditNote(
            last_invoice_id=last,
            tenant_id=account.tenant_id,
            account_id=account.id,
            agreement_id=agreement.id,
            issued_on=tx.at.astimezone(ZoneInfo(tenant.time_zone)).date(),
            period_from_on=min(months),
            period_until_on=next_month(max(months)) - timedelta(days=1),
            currency=currency,
            supplier=asdict(supplier),
            customer=asdict(customer),
        )
        made = await _issue(tx, note, found, most_cents=None)
        issued += [] if made is None else [made]
    return issued


async def _issue(
    tx: Tx, note: CreditNote, found: Sequence[Movement], *, most_cents: int | None
) -> CreditNote | None:
    """Insert a note of what fits, with its lines, its journal entry and its fact; None when nothing does."""
    kept = fitting_lines([each.line for each in found], most_cents)
    if not kept:
        return None
    sums = totals(line for _, line in kept)
    note.id = uuid7()
    note.number = await next_number(tx.session, note.tenant_id, NOTES, note.issued_on.year)
    note.net_cents, note.vat_cents = sums.net_cents, sums.vat_cents
    note.gross_cents = sums.gross_cents
    tx.session.add(note)
    await tx.session.flush()
    tx.session.add_all(
        CreditNoteLine(
            tenant_id=note.tenant_id,
            account_id=note.account_id,
            credit_note_id=note.id,
            credit_id=found[index].credit_id,
            entry_id=found[index].entry_id,
            part=found[index].part,
            **asdict(line),
        )
        for index, line in kept
    )
    about = await _about(tx.session, note)
    await journal.post(
        tx,
        on=note,
        subject_id=note.id,
        kind=JournalKind.APPLY,
        reason=f"Credit note {note.number} {about}",
        lines={
            Book.CLIENT_CREDIT: note.net_cents,
            Book.VAT: note.vat_cents,
            Book.RECEIVABLE: -note.gross_cents,
        },
    )
    tx.record(
        CreditNoteIssued(
            account_id=note.account_id,
            subject_id=note.id,
            at=tx.at,
            invoice_id=note.invoice_id,
            number=note.number,
            net_cents=note.net_cents,
            gross_cents=note.gross_cents,
            currency=note.currency,
            closing=note.closing,
        )
    )
    return note


async def _about(session: AsyncSession, note: CreditNote) -> str:
    if note.invoice_id is None:
        return "that closes the credits of the agreement"
    invoice = await session.get_one(Invoice, note.invoice_id)
    return f"on invoice {invoice.number}"


async def _treatment(session: AsyncSession, tenant_id: UUID, sale: Treatment) -> Treatment:
    """Return how a credit is taxed: as the company chose; a price reduction is taxed as the sale it reduces."""
    policy = await session.scalar(
        select(CompensationPolicy).where(CompensationPolicy.tenant_id == tenant_id)
    )
    chosen = (
        HOME if policy is None else Treatment(VatCategory(policy.vat_category), policy.vat_rate_bps)
    )
    lowers = chosen.category is VatCategory.STANDARD and sale.category is not VatCategory.STANDARD
    return sale if lowers else chosen


async def _currencies(session: AsyncSession, agreement_id: UUID) -> Iterable[str]:
    rows = await session.scalars(
        select(Credit.currency).where(Credit.agreement_id == agreement_id).distinct()
    )
    return sorted(rows)


async def _is_billed_again(
    session: AsyncSession, agreement: Agreement, account: Account, currency: str, *, at: datetime
) -> bool:
    """Return whether an invoice of the agreement in a currency may still follow."""
    versions = await session.scalars(
        select(Terms).where(Terms.agreement_id == agreement.id, Terms.currency == currency)
    )
    uppers = [each.in_force.upper for each in versions] or [None]
    ends = [] if agreement.ended_at is None else [agreement.ended_at]
    known = [upper for upper in uppers if upper is not None]
    if len(known) == len(uppers):
        ends.append(max(known))
    until = min(ends, default=None)
    if until is None or until > at:
        return True
    last_on = month_of(until - timedelta(microseconds=1), account.time_zone)
    first_on = await session.scalar(
        select(BillingParty.bill_from_on).where(BillingParty.account_id == account.id)
    )
    if first_on is None or last_on < first_on:
        return False
    billed = await session.scalar(
        select(ClosedMonth.billed_at).where(
            ClosedMonth.agreement_id == agreement.id, ClosedMonth.month_on == last_on
        )
    )
    return billed is None
