"""Read invoices, credit notes and the billing of a month."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.access import Actor, visible_to
from domain.accounts.model import Account
from domain.agreements.model import Agreement, Rate, Terms, Unit
from domain.compensation import next_month
from domain.compensation.model import ClosedMonth
from domain.core.base import JSON
from domain.core.deferral import is_deferred, rank_of
from domain.core.errors import Code, Refused
from domain.invoices.model import (
    BillingParty,
    CreditNote,
    CreditNoteLine,
    DeliveredLine,
    Invoice,
    InvoiceLine,
    Payment,
    PlannedLine,
)
from domain.invoices.parties import Party
from domain.invoices.rules import CreditNoteDocument, DocumentLine, rounded, totals
from domain.journal import Book, JournalEntry, JournalKind, JournalLine


async def credit_note(
    session: AsyncSession, actor: Actor, note_id: UUID
) -> CreditNoteDocument | None:
    """Return a credit note as a document, or None when it is not visible to the actor."""
    note = await session.scalar(
        select(CreditNote).where(CreditNote.id == note_id, visible_to(actor, CreditNote))
    )
    if note is None:
        return None
    about = note.invoice_id or note.last_invoice_id
    invoice = None if about is None else await session.get_one(Invoice, about)
    agreement = await session.get_one(Agreement, note.agreement_id)
    rows = await session.scalars(
        select(CreditNoteLine)
        .where(CreditNoteLine.credit_note_id == note.id)
        .order_by(CreditNoteLine.position)
    )
    lines = tuple(as_line(row) for row in rows)
    return CreditNoteDocument(
        id=note.id,
        account_id=note.account_id,
        number=note.number,
        issued_on=note.issued_on,
        period_from_on=note.period_from_on,
        period_until_on=note.period_until_on,
        currency=note.currency,
        supplier=as_party(note.supplier),
        customer=as_party(note.customer),
        invoice_number="" if invoice is None else invoice.number,
        invoice_issued_on=note.issued_on if invoice is None else invoice.issued_on,
        buyer_reference=agreement.reference,
        reason="Service credits under the agreement",
        lines=lines,
        totals=totals(lines),
        closing=note.closing,
    )


async def parties(session: AsyncSession, account: Account) -> tuple[Party, Party]:
    """Return seller and buyer as they are now; refused while one of them is unknown."""
    rows = await session.scalars(
        select(BillingParty).where(
            BillingParty.tenant_id == account.tenant_id,
            or_(BillingParty.account_id.is_(None), BillingParty.account_id == account.id),
        )
    )
    known = {row.account_id: row for row in rows}
    found = []
    for account_id, who in ((None, "company"), (account.id, "client")):
        row = known.get(account_id)
        if row is None:
            raise Refused(
                Code.INVALID,
                f"The {who}'s legal details are missing; enter them with setBillingParty.",
            )
        found.append(Party(**{field.name: getattr(row, field.name) for field in fields(Party)}))
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class BillingLine:
    """One rate of one month from plan to invoice, in thousandths of its unit; prices and sums in cents."""

    rate_code: str
    name: str
    unit: Unit
    planned_milli: int
    delivered_milli: int
    billed_milli: int
    billed_cents: int


async def billing(
    session: AsyncSession, actor: Actor, agreement_id: UUID, month_on: date
) -> list[BillingLine]:
    """Return planned, delivered and billed quantities of a month, by rate; billed is the invoiced part of delivered."""
    month_on = month_on.replace(day=1)
    rates = {
        rate.code: rate
        for rate in await session.scalars(
            select(Rate)
            .where(Rate.agreement_id == agreement_id, visible_to(actor, Rate))
            .order_by(Rate.in_force)
        )
    }
    sums: dict[str, list[int]] = {}
    planned = await session.execute(
        select(PlannedLine.rate_code, PlannedLine.quantity_milli).where(
            visible_to(actor, PlannedLine),
            PlannedLine.agreement_id == agreement_id,
            PlannedLine.month_on == month_on,
        )
    )
    for code, quantity in planned:
        sums.setdefault(code, [0, 0, 0, 0])[0] += quantity
    delivered = await session.execute(
        select(DeliveredLine.rate_code, DeliveredLine.quantity_milli, InvoiceLine.price_cents)
        .outerjoin(InvoiceLine, InvoiceLine.id == DeliveredLine.invoice_line_id)
        .where(
            visible_to(actor, DeliveredLine),
            DeliveredLine.agreement_id == agreement_id,
            DeliveredLine.delivered_on >= month_on,
            DeliveredLine.delivered_on < next_month(month_on),
        )
    )
    for code, quantity, price in delivered:
        row = sums.setdefault(code, [0, 0, 0, 0])
        row[1] += quantity
        if price is not None:
            row[2] += quantity
            row[3] += quantity * price
    return [
        BillingLine(
            code,
            rates[code].name,
            rates[code].unit,
            planned,
            delivered,
            billed,
            rounded(thousandths, 1_000),
        )
        for code, (planned, delivered, billed, thousandths) in sorted(sums.items())
    ]


async def outstanding(session: AsyncSession, invoice: Invoice) -> int:
    """Return the amount of an invoice that is neither credited nor paid, in cents."""
    credited = select(func.coalesce(func.sum(CreditNote.gross_cents), 0)).where(
        CreditNote.invoice_id == invoice.id
    )
    paid = select(func.coalesce(func.sum(Payment.amount_cents), 0)).where(
        Payment.invoice_id == invoice.id
    )
    return (
        invoice.gross_cents
        - int(await session.scalar(credited) or 0)
        - int(await session.scalar(paid) or 0)
    )


class Unbilled(NamedTuple):
    """A closed month that was not considered for an invoice."""

    tenant_id: UUID
    agreement_id: UUID
    month_on: date


async def months_to_bill(
    session: AsyncSession, *, limit: int, at: datetime | None = None
) -> list[Unbilled]:
    """Select closed months of accounts with billing, whose company's legal details are known.

    The companies alternately, the oldest month first. A month that could not be billed waits until its next attempt,
    and so do the later ones of its agreement.
    """
    company = aliased(BillingParty)
    rows = await session.execute(
        select(ClosedMonth.tenant_id, ClosedMonth.agreement_id, ClosedMonth.month_on)
        .join(BillingParty, BillingParty.account_id == ClosedMonth.account_id)
        .where(
            ClosedMonth.billed_at.is_(None),
            ~is_deferred("invoices", ClosedMonth.agreement_id, at=at),
            ClosedMonth.month_on >= BillingParty.bill_from_on,
            exists().where(
                company.tenant_id == ClosedMonth.tenant_id, company.account_id.is_(None)
            ),
        )
        .order_by(
            rank_of(ClosedMonth.tenant_id, ClosedMonth.month_on, ClosedMonth.id), func.random()
        )
        .limit(limit)
    )
    return [Unbilled(*row) for row in rows]


async def agreements_to_close(session: AsyncSession, *, at: datetime, limit: int) -> list[Unbilled]:
    """Select agreements with credits on no note, that have ended or are billed in another currency.

    Only accounts with billing, whose company's legal details are known; with the month of the first such credit.
    """
    company = aliased(BillingParty)
    noted = (
        select(func.coalesce(func.sum(CreditNoteLine.net_cents), 0))
        .where(CreditNoteLine.entry_id == JournalEntry.id)
        .scalar_subquery()
    )
    newest = (
        select(Terms.currency)
        .where(Terms.agreement_id == Agreement.id, Terms.number == Agreement.newest_terms)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Agreement.tenant_id, Agreement.id, func.min(func.date(JournalEntry.at)))
        .join(BillingParty, BillingParty.account_id == Agreement.account_id)
        .join(JournalEntry, JournalEntry.agreement_id == Agreement.id)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.kind.in_([JournalKind.GRANT, JournalKind.ADJUST]),
            JournalLine.book == Book.CLIENT_CREDIT,
            or_(
                Agreement.ended_at <= at,
                exists().where(Terms.agreement_id == Agreement.id, Terms.currency != newest),
            ),
            or_(Agreement.ended_at <= at, JournalLine.currency != newest),
            -JournalLine.amount_cents != noted,
            ~is_deferred("closing notes", Agreement.id, at=at),
            exists().where(company.tenant_id == Agreement.tenant_id, company.account_id.is_(None)),
        )
        .group_by(Agreement.tenant_id, Agreement.id, JournalLine.currency)
        .having(func.sum(-JournalLine.amount_cents - noted) > 0)
        .order_by(Agreement.id)
        .limit(limit)
    )
    return [Unbilled(*row) for row in rows]


def as_line(row: CreditNoteLine | InvoiceLine) -> DocumentLine:
    """Return a line's values without its row."""
    return DocumentLine(
        row.position,
        row.name,
        row.quantity_milli,
        row.unit,
        row.price_cents,
        row.net_cents,
        row.vat_category,
        row.vat_rate_bps,
    )


def as_party(snapshot: JSON) -> Party:
    """Return a party as it was written on a document."""
    return msgspec.convert(snapshot, Party)
