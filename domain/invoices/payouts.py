"""Book payouts to clients for closing credit notes, never more than is open, and reverse wrong bookings."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import journal
from domain.access import Actor, Right
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents, must_be_day
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.core.text_rules import LINE, must_be_line, must_be_text
from domain.invoices.events import PayoutBooked, PayoutTakenBack
from domain.invoices.model import CreditNote, Payout
from domain.journal import Book, JournalKind


async def pay_out(
    session: AsyncSession,
    actor: Actor,
    note_id: UUID,
    *,
    amount_cents: int,
    paid_on: date,
    reference: str,
    at: datetime,
) -> Payout:
    """Book a payout for a closing note, once per reference, and not more than is open."""
    actor.must(Right.BILL)
    must_be_line(reference, "reference")
    must_be_cents(amount_cents, "amountCents", least=1)
    must_be_day(paid_on, "paidOn", at)
    note = await _locked(session, actor, note_id)
    if note is None:
        raise Refused(Code.NOT_FOUND, "No such credit note.", argument="creditNoteId")
    if not note.closing:
        raise Refused(
            Code.INVALID,
            f"Credit note {note.number} is settled with its invoice; only closing notes can be paid out.",
            argument="creditNoteId",
        )
    booked = await session.scalar(
        select(Payout.id).where(
            Payout.credit_note_id == note.id,
            Payout.reference == reference,
            Payout.reverses_id.is_(None),
            Payout.reversed_at.is_(None),
        )
    )
    if booked is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            f"A payout with the reference {reference} is already booked.",
            argument="reference",
        )
    open_cents = await _open(session, note)
    if amount_cents > open_cents:
        raise Refused(
            Code.INVALID,
            f"Of credit note {note.number} {open_cents / 100:.2f} {note.currency} is still to be paid out;"
            " book that at most.",
            argument="amountCents",
        )
    row = Payout(
        id=uuid7(), tenant_id=note.tenant_id, account_id=note.account_id,
        credit_note_id=note.id, amount_cents=amount_cents, paid_on=paid_on, reference=reference,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _post(session, actor, note, row, JournalKind.PAYOUT, at=at)
    record(
        session,
        actor,
        PayoutBooked(
            account_id=note.account_id, subject_id=note.id, at=at, payout_id=row.id,
            amount_cents=amount_cents, currency=note.currency, paid_on=paid_on,
            open_was_cents=open_cents, open_cents=open_cents - amount_cents,
        ),
    )  # fmt: skip
    return row


async def reverse_payout(
    session: AsyncSession, actor: Actor, payout_id: UUID, *, reason: str, at: datetime
) -> Payout:
    """Reverse a payout that was booked by mistake; return the counter-entry."""
    actor.must(Right.BILL)
    must_be_text(reason, "reason")
    found = await session.scalar(select(Payout).where(Payout.id == payout_id, actor.scope(Payout)))
    note = None if found is None else await _locked(session, actor, found.credit_note_id)
    if found is None or note is None:
        raise Refused(Code.NOT_FOUND, "No such payout.", argument="id")
    await session.refresh(found)
    if found.reverses_id is not None:
        raise Refused(
            Code.INVALID,
            "This is a reversal and cannot be reversed; book the payout again.",
            argument="id",
        )
    if found.reversed_at is not None:
        raise Refused(Code.ALREADY_DONE, "The payout is already reversed.", argument="id")
    open_cents = await _open(session, note)
    found.reversed_at = at
    row = Payout(
        id=uuid7(), tenant_id=found.tenant_id, account_id=found.account_id, credit_note_id=note.id,
        amount_cents=-found.amount_cents, paid_on=found.paid_on,
        reference=f"reversal of {found.reference}"[:LINE], reverses_id=found.id,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    await _post(session, actor, note, row, JournalKind.REVERSAL, at=at)
    record(
        session,
        actor,
        PayoutTakenBack(
            account_id=note.account_id, subject_id=note.id, at=at, payout_id=row.id,
            reverses_id=found.id, amount_cents=row.amount_cents, currency=note.currency,
            open_was_cents=open_cents, open_cents=open_cents - row.amount_cents, reason=reason,
        ),
    )  # fmt: skip
    return row


async def _locked(session: AsyncSession, actor: Actor, note_id: UUID) -> CreditNote | None:
    """Lock a credit note, so that two payouts cannot share the same open amount."""
    return await session.scalar(
        select(CreditNote)
        .where(CreditNote.id == note_id, actor.scope(CreditNote))
        .with_for_update(key_share=True)
    )


async def _open(session: AsyncSession, note: CreditNote) -> int:
    """Return the amount of a closing note that is not paid out, in cents."""
    paid = await session.scalar(
        select(func.coalesce(func.sum(Payout.amount_cents), 0)).where(
            Payout.credit_note_id == note.id
        )
    )
    return note.gross_cents - int(paid or 0)


async def _post(
    session: AsyncSession,
    actor: Actor,
    note: CreditNote,
    payout: Payout,
    kind: JournalKind,
    *,
    at: datetime,
) -> None:
    what = "Payout" if kind is JournalKind.PAYOUT else "Reversal of a payout"
    await journal.post(
        session, actor, account_id=note.account_id, agreement_id=note.agreement_id,
        subject_id=payout.id, n=1, kind=kind, currency=note.currency, at=at,
        reason=f"{what} of credit note {note.number}",
        lines={Book.RECEIVABLE: payout.amount_cents, Book.BANK: -payout.amount_cents},
    )  # fmt: skip
