"""What payments and payouts have in common: a reference is booked once, and a wrong booking gets a counter-entry."""

from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Actor, Right, Tx
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_day
from domain.core.errors import Code, Refused
from domain.core.text_rules import LINE, must_be_line
from domain.invoices.model import CreditNote, Invoice, Payment, Payout
from domain.journal import Book, JournalKind

B = TypeVar("B", Payment, Payout)


def must_be_bookable(
    actor: Actor, *, amount_cents: int, paid_on: date, reference: str, at: datetime
) -> None:
    """Refuse a booking by somebody who may not book payments, or without an amount, a day and a reference."""
    actor.must(Right.PAY)
    must_be_line(reference, "reference")
    must_be_cents(amount_cents, "amountCents", least=1)
    must_be_day(paid_on, "paidOn", at)


async def must_be_new(session: AsyncSession, row: Payment | Payout) -> None:
    """Refuse a reference that is booked for the same document and was not taken back."""
    kind = type(row)
    of = (
        Payment.invoice_id == row.invoice_id
        if isinstance(row, Payment)
        else Payout.credit_note_id == row.credit_note_id
    )
    booked = await session.scalar(
        select(kind.id).where(
            of,
            kind.reference == row.reference,
            kind.reverses_id.is_(None),
            kind.reversed_at.is_(None),
        )
    )
    if booked is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            f"A {kind.__tablename__} with the reference {row.reference} is already booked.",
            argument="reference",
        )


def counter_entry(found: B, *, at: datetime) -> B:
    """Mark a booking as reversed and return its counter-entry; refuse a reversal, and a booking that is reversed."""
    noun = found.__tablename__
    if found.reverses_id is not None:
        raise Refused(
            Code.INVALID,
            f"This is a reversal and cannot be reversed; book the {noun} again.",
            argument="id",
        )
    if found.reversed_at is not None:
        raise Refused(Code.ALREADY_DONE, f"The {noun} is already reversed.", argument="id")
    found.reversed_at = at
    of = {Payment: "invoice_id", Payout: "credit_note_id"}[type(found)]
    return type(found)(
        id=uuid7(),
        tenant_id=found.tenant_id,
        account_id=found.account_id,
        amount_cents=-found.amount_cents,
        paid_on=found.paid_on,
        reference=f"reversal of {found.reference}"[:LINE],
        reverses_id=found.id,
        **{of: getattr(found, of)},
    )


async def store(tx: Tx, document: Invoice | CreditNote, row: Payment | Payout) -> None:
    """Insert a booking, and post it to the journal between the bank and what the client owes."""
    tx.session.add(row)
    await tx.session.flush()
    came_in = row.amount_cents if isinstance(row, Payment) else -row.amount_cents
    kind = JournalKind.PAYMENT if isinstance(row, Payment) else JournalKind.PAYOUT
    noun, of = row.__tablename__, document.__tablename__.replace("_", " ")
    what = noun.capitalize() if row.reverses_id is None else f"Reversal of a {noun}"
    await journal.post(
        tx,
        on=document,
        subject_id=row.id,
        kind=kind if row.reverses_id is None else JournalKind.REVERSAL,
        reason=f"{what} of {of} {document.number}",
        lines={Book.BANK: came_in, Book.RECEIVABLE: -came_in},
    )
