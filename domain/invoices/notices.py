"""Notices about closing credit notes and their payouts."""

from uuid import UUID

from domain import agreements, messages
from domain.access import Role, Tx
from domain.core.sequencing import SequencedEvent
from domain.escalation import people
from domain.invoices.model import CreditNote, Payout

FINANCE = (Role.FINANCE, Role.MANAGEMENT)


async def announce_closing_note(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts and the company's finance users of a credit note that has to be paid out."""
    if not fact.body.get("closing"):
        return
    note = await tx.session.get_one(CreditNote, fact.subject_id)
    _, shared = await agreements.about_agreement(tx, note.agreement_id)
    words = shared | {
        "number": note.number,
        "amount_cents": note.gross_cents,
        "currency": note.currency,
    }
    intent = f"credit_note:{note.id}:closing"
    await messages.compose(
        tx,
        note.account_id,
        intent=intent,
        template=messages.ClosingNote,
        variables=words,
    )
    users = await people(tx.session, note.tenant_id, note.account_id, roles=FINANCE)
    await messages.compose_to_users(
        tx,
        users,
        account_id=note.account_id,
        intent=intent,
        template=messages.ClosingNote,
        variables=words,
    )


async def tell_payout(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts that a closing note was paid out, or that its payout was booked by mistake."""
    payout = await tx.session.get_one(Payout, UUID(fact.body["payout_id"]))
    kind: type[messages.PayoutNotice] = messages.PayoutNotice
    if payout.reverses_id is not None:
        payout = await tx.session.get_one(Payout, payout.reverses_id)
        kind = messages.PayoutReversedNotice
    note = await tx.session.get_one(CreditNote, payout.credit_note_id)
    _, shared = await agreements.about_agreement(tx, note.agreement_id)
    await messages.compose(
        tx,
        note.account_id,
        intent=f"payout:{payout.id}:{kind.template}",
        template=kind,
        variables=shared
        | {
            "number": note.number,
            "amount_cents": payout.amount_cents,
            "currency": note.currency,
            "paid_on": payout.paid_on,
            "payment_reference": payout.reference,
        },
    )
