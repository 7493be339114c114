"""Write messages and keep what became of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Channel, Contact
from domain.actor import Actor
from domain.base import uuid7
from domain.errors import Code, Refused
from domain.ledger import record
from domain.messages.events import Failed, Queued, Sent
from domain.messages.model import Message, MessageState
from domain.messages.rules import checked, render

ENDS = frozenset({MessageState.SENT, MessageState.FAILED})


async def compose(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    *,
    intent: str,
    template: str,
    variables: Mapping[str, Any],
    at: datetime,
) -> list[Message]:
    """Write one message to each contact that wants service messages and has an e-mail address.

    A contact that was written to about this intent before is left alone. Returns the new messages; refuses an unknown
    template and variables that do not fit it.
    """
    told = checked(template, variables)
    contacts = await session.scalars(
        select(Contact)
        .where(
            Contact.account_id == account_id,
            actor.fence(Contact),
            Contact.wants_service_messages,
            Contact.email.is_not(None),
        )
        .order_by(Contact.id)
    )
    written = []
    for contact in contacts:
        words = render(
            told, language=contact.language, time_zone=contact.time_zone, name=contact.name
        )
        message = await session.scalar(
            insert(Message)
            .values(
                id=uuid7(),
                tenant_id=actor.tenant_id,
                account_id=account_id,
                contact_id=contact.id,
                intent=intent,
                template=told.template,
                template_version=told.version,
                language=contact.language,
                channel=Channel.EMAIL,
                recipient=contact.email,
                subject=words.subject,
                body=words.body,
                content_sha256=words.sha256,
                queued_at=at,
            )
            .on_conflict_do_nothing(index_elements=[Message.intent, Message.contact_id])
            .returning(Message)
        )
        if message is None:
            continue
        written.append(message)
        record(
            session,
            actor,
            Queued(
                account_id=account_id,
                subject_id=message.id,
                at=at,
                contact_id=contact.id,
                intent=intent,
                template=told.template,
            ),
        )
    return written


async def take(session: AsyncSession, actor: Actor, message_id: UUID) -> Message | None:
    """Mark a message as being sent; None when it has come to its end before.

    Committed before the mail server is spoken to: a message found `sending` may have left.
    """
    message = await _locked(session, actor, message_id)
    if message.state in ENDS:
        return None
    message.state = MessageState.SENDING
    message.attempts += 1
    return message


async def put_back(session: AsyncSession, actor: Actor, message_id: UUID, *, error: str) -> None:
    """It was not delivered for a reason that may pass."""
    message = await _locked(session, actor, message_id)
    if message.state not in ENDS:
        message.state, message.error = MessageState.QUEUED, error


async def mark_sent(session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime) -> None:
    """The mail server took it."""
    message = await _locked(session, actor, message_id)
    if message.state in ENDS:
        return
    message.state, message.sent_at, message.error = MessageState.SENT, at, None
    record(
        session,
        actor,
        Sent(
            account_id=message.account_id,
            subject_id=message.id,
            at=at,
            contact_id=message.contact_id,
            intent=message.intent,
        ),
    )


async def mark_failed(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime, error: str
) -> None:
    """It will not be delivered: the address refuses it, or all attempts are used up."""
    message = await _locked(session, actor, message_id)
    if message.state in ENDS:
        return
    message.state, message.error = MessageState.FAILED, error
    record(
        session,
        actor,
        Failed(
            account_id=message.account_id,
            subject_id=message.id,
            at=at,
            contact_id=message.contact_id,
            intent=message.intent,
            error=error,
        ),
    )


async def _locked(session: AsyncSession, actor: Actor, message_id: UUID) -> Message:
    message = await session.scalar(
        select(Message)
        .where(Message.id == message_id, actor.fence(Message))
        .with_for_update(key_share=True)
    )
    if message is None:
        raise Refused(Code.NOT_FOUND, "No such message.", argument="id")
    return message
