"""Notices to clients about changes and ends of agreements."""

from uuid import UUID

from sqlalchemy import select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.agreements.model import Agreement, Terms
from domain.core.sequencing import SequencedEvent


async def announce_amendment(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts of the new terms and their date; sent before that date, it counts as advance notice."""
    terms = await tx.session.get_one(Terms, UUID(fact.body["terms_id"]))
    before = await tx.session.scalar(
        select(Terms).where(
            Terms.agreement_id == terms.agreement_id, Terms.number == terms.number - 1
        )
    )
    begins = terms.in_force.lower
    if before is None or begins is None:
        return
    agreement, shared = await about_agreement(tx, terms.agreement_id)
    await messages.compose(
        tx,
        agreement.account_id,
        intent=f"terms:{terms.id}:amended",
        template=messages.AgreementAmended,
        variables=shared
        | {
            "number": terms.number,
            "in_force_from": begins,
            "at_once": begins <= fact.at,
            "fee_was_cents": before.period_fee_cents,
            "currency_was": before.currency,
            "fee_cents": terms.period_fee_cents,
            "currency": terms.currency,
        },
    )


async def announce_end(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts of the date on which an agreement ends, and again when that date is moved."""
    agreement, shared = await about_agreement(tx, fact.subject_id)
    if agreement.ended_at is None:
        return
    await messages.compose(
        tx,
        agreement.account_id,
        intent=f"agreement:{agreement.id}:ended:{fact.seq}",
        template=messages.AgreementEnded,
        variables=shared | {"ended_at": agreement.ended_at},
    )


async def about_agreement(tx: Tx, agreement_id: UUID) -> tuple[Agreement, dict[str, str]]:
    """Load an agreement with the variables that notices about it share."""
    agreement = await tx.session.get_one(Agreement, agreement_id)
    account = await tx.session.get_one(Account, agreement.account_id)
    tenant = await tx.session.get_one(Tenant, agreement.tenant_id)
    return agreement, {
        "company": tenant.name,
        "account": account.name,
        "title": agreement.title,
        "reference": agreement.reference,
    }
