"""Ask for documents of money, whole."""

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.actor import Actor
from domain.agreements.model import Agreement
from domain.base import JSON
from domain.invoices.model import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from domain.invoices.rules import CreditNoteDocument, Line, Party, totals


async def credit_note(
    session: AsyncSession, actor: Actor, note_id: UUID
) -> CreditNoteDocument | None:
    """A credit note as a document, or None when it does not exist for the actor."""
    note = await session.scalar(
        select(CreditNote).where(CreditNote.id == note_id, actor.fence(CreditNote))
    )
    if note is None:
        return None
    invoice = await session.get_one(Invoice, note.invoice_id)
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
        invoice_number=invoice.number,
        invoice_issued_on=invoice.issued_on,
        buyer_reference=agreement.reference,
        reason="Service credits under the agreement",
        lines=lines,
        totals=totals(lines),
    )


def as_line(row: CreditNoteLine | InvoiceLine) -> Line:
    """A line's values without its row."""
    return Line(
        row.position, row.name, row.quantity_milli, row.unit,
        row.price_cents, row.net_cents, row.vat_category, row.vat_rate_bps,
    )  # fmt: skip


def as_party(snapshot: JSON) -> Party:
    """A party as it was written on a document."""
    return msgspec.convert(snapshot, Party)
