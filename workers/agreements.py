"""Notices to clients about changes and ends of agreements, closing notes and payouts."""

from uuid import UUID

from sqlalchemy import select

from domain import messages
from domain.access import Role, Tx
from domain.accounts.model import Account, Tenant
from domain.agreements.model import Agreement, Terms
from domain.escalation import people
from domain.invoices import CreditNote, Payout
from workers.jobs import JobContext

FINANCE = (Role.FINANCE, Role.MANAGEMENT)


async def announce_amendment(context: JobContext) -> None:
    """Notify the contacts of the new terms and their date; sent before that date, it counts as advance notice."""
    terms = await context.session.get_one(Terms, UUID(context.fact.body["terms_id"]))
    before = await context.session.scalar(
        select(Terms).where(
            Terms.agreement_id == terms.agreement_id, Terms.number == terms.number - 1
        )
    )
    begins = terms.in_force.lower
    if before is None or begins is None:
        return
    agreement, shared = await _about(context, terms.agreement_id)
    await messages.compose(
        Tx(context.session, context.actor, context.at),
        agreement.account_id,
        intent=f"terms:{terms.id}:amended",
        template=messages.AgreementAmended,
        variables=shared
        | {
            "number": terms.number,
            "in_force_from": begins,
            "at_once": begins <= context.fact.at,
            "fee_was_cents": before.period_fee_cents,
            "currency_was": before.currency,
            "fee_cents": terms.period_fee_cents,
            "currency": terms.currency,
        },
    )


async def announce_end(context: JobContext) -> None:
    """Notify the contacts of the date on which an agreement ends, and again when that date is moved."""
    agreement, shared = await _about(context, context.fact.subject_id)
    if agreement.ended_at is None:
        return
    await messages.compose(
        Tx(context.session, context.actor, context.at),
        agreement.account_id,
        intent=f"agreement:{agreement.id}:ended:{context.fact.seq}",
        template=messages.AgreementEnded,
        variables=shared | {"ended_at": agreement.ended_at},
    )


async def announce_closing_note(context: JobContext) -> None:
    """Notify the contacts and the company's finance users of a credit note that has to be paid out."""
    if not context.fact.body.get("closing"):
        return
    note = await context.session.get_one(CreditNote, context.fact.subject_id)
    _, shared = await _about(context, note.agreement_id)
    words = shared | {
        "number": note.number,
        "amount_cents": note.gross_cents,
        "currency": note.currency,
    }
    intent = f"credit_note:{note.id}:closing"
    await messages.compose(
        Tx(context.session, context.actor, context.at),
        note.account_id,
        intent=intent,
        template=messages.ClosingNote,
        variables=words,
    )
    users = await people(context.session, note.tenant_id, note.account_id, roles=FINANCE)
    await messages.compose_to_users(
        Tx(context.session, context.actor, context.at),
        users,
        account_id=note.account_id,
        intent=intent,
        template=messages.ClosingNote,
        variables=words,
    )


async def tell_payout(context: JobContext) -> None:
    """Notify the contacts that a closing note was paid out, or that its payout was booked by mistake."""
    payout = await context.session.get_one(Payout, UUID(context.fact.body["payout_id"]))
    kind: type[messages.PayoutNotice] = messages.PayoutNotice
    if payout.reverses_id is not None:
        payout = await context.session.get_one(Payout, payout.reverses_id)
        kind = messages.PayoutReversedNotice
    note = await context.session.get_one(CreditNote, payout.credit_note_id)
    _, shared = await _about(context, note.agreement_id)
    await messages.compose(
        Tx(context.session, context.actor, context.at),
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


async def _about(context: JobContext, agreement_id: UUID) -> tuple[Agreement, dict[str, str]]:
    agreement = await context.session.get_one(Agreement, agreement_id)
    account = await context.session.get_one(Account, agreement.account_id)
    tenant = await context.session.get_one(Tenant, agreement.tenant_id)
    return agreement, {
        "company": tenant.name,
        "account": account.name,
        "title": agreement.title,
        "reference": agreement.reference,
    }
