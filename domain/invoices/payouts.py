"""Book payouts to clients for closing credit notes, never more than is open, and reverse wrong bookings."""

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_text
from domain.invoices import bookings
from domain.invoices.events import PayoutBooked, PayoutTakenBack
from domain.invoices.model import CreditNote, Payout


async def pay_out(
    tx: Tx, note_id: UUID, *, amount_cents: int, paid_on: date, reference: str
) -> Payout:
    """Book a payout for a closing note, once per reference, and not more than is open."""
    bookings.must_be_bookable(
        tx.actor, amount_cents=amount_cents, paid_on=paid_on, reference=reference, at=tx.at
    )
    note = await tx.get(CreditNote, note_id, "credit note", argument="creditNoteId", lock=True)
    if not note.closing:
        raise Refused(
            Code.INVALID,
            f"Credit note {note.number} is settled with its invoice; only closing notes can be paid out.",
            argument="creditNoteId",
        )
    row = Payout(
        id=uuid7(),
        tenant_id=note.tenant_id,
        account_id=note.account_id,
        credit_note_id=note.id,
        amount_cents=amount_cents,
        paid_on=paid_on,
        reference=reference,
    )
    await bookings.must_be_new(tx.session, row)
    open_cents = await _open(tx.session, note)
    if amount_cents > open_cents:
        raise Refused(
            Code.INVALID,
            f"Of credit note {note.number} {open_cents / 100:.2f} {note.currency} is still to be paid out;"
            " book that at most.",
            argument="amountCents",
        )
    await bookings.store(tx, note, row)
    tx.record(
        PayoutBooked(
            account_id=note.account_id,
            subject_id=note.id,
            at=tx.at,
            payout_id=row.id,
            amount_cents=amount_cents,
            currency=note.currency,
            paid_on=paid_on,
            open_was_cents=open_cents,
            open_cents=open_cents - amount_cents,
        )
    )
    return row


async def reverse_payout(tx: Tx, payout_id: UUID, *, reason: str) -> Payout:
    """Reverse a payout that was booked by mistake; return the counter-entry."""
    tx.actor.must(Right.PAY)
    must_be_text(reason, "reason")
    found = await tx.get(Payout, payout_id, "payout")
    note = await tx.get(CreditNote, found.credit_note_id, "payout", lock=True)
    await tx.session.refresh(found)
    row = bookings.counter_entry(found, at=tx.at)
    open_cents = await _open(tx.session, note)
    await bookings.store(tx, note, row)
    tx.record(
        PayoutTakenBack(
            account_id=note.account_id,
            subject_id=note.id,
            at=tx.at,
            payout_id=row.id,
            reverses_id=found.id,
            amount_cents=row.amount_cents,
            currency=note.currency,
            open_was_cents=open_cents,
            open_cents=open_cents - row.amount_cents,
            reason=reason,
        )
    )
    return row


async def _open(session: AsyncSession, note: CreditNote) -> int:
    """Return the amount of a closing note that is not paid out, in cents."""
    paid = await session.scalar(
        select(func.coalesce(func.sum(Payout.amount_cents), 0)).where(
            Payout.credit_note_id == note.id
        )
    )
    return note.gross_cents - int(paid or 0)
