"""A consequence of an answered letter: those who look after the client are told what was written."""

from sqlalchemy import select

from domain import escalation, messages
from domain.accounts.model import Account, Tenant
from domain.core.erasable_text import ErasableText
from domain.messages import Message
from workers.jobs import JobContext

ERASED = "…"


async def tell_answered(hand: JobContext) -> None:
    """Tell those who look after the client that a letter was answered; not what a machine wrote."""
    body = hand.fact.body
    if body["automatic"] or body["internal"]:
        return
    message = await hand.session.get_one(Message, hand.fact.subject_id)
    account = await hand.session.get_one(Account, message.account_id)
    tenant = await hand.session.get_one(Tenant, message.tenant_id)
    said = await _said(hand, [body["sender"], body["subject"], body["words"]])
    await messages.compose_to_users(
        hand.session,
        hand.actor,
        await escalation.answered_users(hand.session, tenant.id, account.id),
        account_id=account.id,
        intent=f"answer:{message.id}:{hand.fact.seq}",
        template="answered",
        variables={
            "company": tenant.name,
            "account": account.name,
            "sender": said.get(body["sender"], ERASED),
            "about": message.subject,
            "words": said.get(body["words"], ERASED),
        },
        at=hand.at,
    )


async def _said(hand: JobContext, commitments: list[str]) -> dict[str, str]:
    """The texts beside the fact that were not erased meanwhile."""
    rows = await hand.session.scalars(
        select(ErasableText).where(ErasableText.commitment.in_(commitments))
    )
    return {row.commitment: row.words for row in rows}
