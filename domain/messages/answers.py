"""Replies: a reader's reply to a message is recorded as a fact about the message, once per reply."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select

from domain.access import Tx
from domain.core.ledger import LedgerRow
from domain.messages.events import OfMessage
from domain.messages.model import Message


class Answered(OfMessage):
    """Somebody replied to a message; `automatic` for an automatic reply, such as a holiday notice.

    `incident_id` is the inquiry that holds the reply of a contact; None for an automatic one, and for a colleague's.
    """

    kind: ClassVar[str] = "message.answered"
    personal: ClassVar[frozenset[str]] = frozenset({"sender", "subject", "words"})
    sender: str
    subject: str
    words: str
    automatic: bool
    incident_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReceivedReply:
    """A reply as it came: the sender as the mail names it, and the key by which it is recorded once."""

    sender: str
    subject: str
    words: str
    automatic: bool
    once_key: str


async def lock_answered(tx: Tx, message_id: UUID) -> Message | None:
    """Lock the message that a reply is about; None when the company has no such message."""
    message = await tx.session.get(Message, message_id, with_for_update={"key_share": True})
    return message if message is not None and message.tenant_id == tx.actor.tenant_id else None


async def recorded_answer(tx: Tx, once_key: str) -> LedgerRow | None:
    """Return the fact about a reply that was recorded before."""
    found: LedgerRow | None = await tx.session.scalar(
        select(LedgerRow).where(
            LedgerRow.tenant_id == tx.actor.tenant_id, LedgerRow.once_key == once_key
        )
    )
    return found


async def earlier_answers(tx: Tx, message_id: UUID) -> list[LedgerRow]:
    """Return the facts about replies to a message, the latest first."""
    found = await tx.session.scalars(
        select(LedgerRow)
        .where(LedgerRow.subject_id == message_id, LedgerRow.kind == Answered.kind)
        .order_by(LedgerRow.id.desc())
    )
    return list(found)


async def record_answer(
    tx: Tx, message: Message, reply: ReceivedReply, *, incident_id: UUID | None
) -> None:
    """Record a reply to a locked message; a second fact with the same key fails."""
    fact = Answered(
        account_id=message.account_id,
        subject_id=message.id,
        at=tx.at,
        contact_id=message.contact_id,
        intent=message.intent,
        internal=message.user_id is not None,
        sender=reply.sender,
        subject=reply.subject,
        words=reply.words,
        automatic=reply.automatic,
        incident_id=incident_id,
    )
    tx.record(fact, once_key=reply.once_key)
    await tx.session.flush()
