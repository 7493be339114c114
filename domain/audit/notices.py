"""Notices to clients with the signed checkpoints of their audit trail."""

from sqlalchemy import func, select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.audit.model import Checkpoint, Leaf
from domain.core.sequencing import SequencedEvent


async def tell_checkpoint(tx: Tx, fact: SequencedEvent) -> None:
    """Mail a checkpoint to the account's contacts; the message's unique key prevents a second mail."""
    session = tx.session
    account_id = fact.account_id
    if account_id is None:
        return
    account = await session.get_one(Account, account_id)
    tenant = await session.get_one(Tenant, fact.tenant_id)
    signed = await session.get_one(Checkpoint, fact.subject_id)
    facts = await session.scalar(
        select(func.max(Leaf.nth)).where(Leaf.account_id == account_id, Leaf.position < signed.size)
    )
    await messages.compose(
        tx,
        account_id,
        intent=f"checkpoint:{signed.id}",
        template=messages.CheckpointNotice.template,
        variables={
            "company": tenant.name,
            "account": account.name,
            "facts": facts or 0,
            "size": signed.size,
            "note": signed.note.rstrip("\n"),
            "verifier_key": signed.verifier_key,
            "signed_at": signed.signed_at,
        },
    )
