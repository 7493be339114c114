"""Notice to the users responsible for a client that one of our messages was answered."""

from sqlalchemy import select

from domain import escalation, messages
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.core.erasable_text import ErasableText
from domain.messages import Message
from workers.jobs import JobContext

ERASED = "…"


async def tell_answered(context: JobContext) -> None:
    """Notify the users responsible for the client of an answer, unless the answer was sent automatically."""
    body = context.fact.body
    if body["automatic"] or body["internal"]:
        return
    message = await context.session.get_one(Message, context.fact.subject_id)
    account = await context.session.get_one(Account, message.account_id)
    tenant = await context.session.get_one(Tenant, message.tenant_id)
    texts = await _readable_texts(context, [body["sender"], body["subject"], body["words"]])
    await messages.compose_to_users(
        Tx(context.session, context.actor, context.at),
        await escalation.answered_users(context.session, tenant.id, account.id),
        account_id=account.id,
        intent=f"answer:{message.id}:{context.fact.seq}",
        template="answered",
        variables={
            "company": tenant.name,
            "account": account.name,
            "sender": texts.get(body["sender"], ERASED),
            "about": message.subject,
            "words": texts.get(body["words"], ERASED),
        },
    )


async def _readable_texts(context: JobContext, commitments: list[str]) -> dict[str, str]:
    """Load the texts a fact refers to, without those that were erased."""
    rows = await context.session.scalars(
        select(ErasableText).where(ErasableText.commitment.in_(commitments))
    )
    return {row.commitment: row.words for row in rows}
