"""Replies: a reader's reply to a message is recorded as a fact about the message, once per reply."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.core.ledger import LedgerRow
from domain.messages.events import OfMessage
from domain.messages.model import Message


class Answered(OfMessage):
    """Somebody replied to a message; `automatic` for an automatic reply, such as a holiday notice."""

    kind: ClassVar[str] = "message.answered"
    personal: ClassVar[frozenset[str]] = frozenset({"sender", "subject", "words"})
    sender: str
    subject: str
    words: str
    automatic: bool


async def note_answer(
    tx: Tx,
    message_id: UUID,
    *,
    sender: str,
    subject: str,
    words: str,
    automatic: bool,
    once_key: str,
) -> bool:
    """Record a reply to a message; False when there is no such message, or the reply was recorded before."""
    message = await tx.session.get(Message, message_id, with_for_update={"key_share": True})
    if message is None or message.tenant_id != tx.actor.tenant_id:
        return False
    known = select(LedgerRow.id).where(
        LedgerRow.tenant_id == tx.actor.tenant_id, LedgerRow.once_key == once_key
    )
    if await tx.session.scalar(known) is not None:
        return False
    fact = Answered(
        account_id=message.account_id,
        subject_id=message.id,
        at=tx.at,
        contact_id=message.contact_id,
        intent=message.intent,
        internal=message.user_id is not None,
        sender=sender,
        subject=subject,
        words=words,
        automatic=automatic,
    )
    tx.record(fact, once_key=once_key)
    await tx.session.flush()
    return True
