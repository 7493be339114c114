"""Compose messages: one per intent and person, in that person's language, for a channel that reaches the person."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.accounts.model import Account, Channel, Contact, Tenant, User
from domain.core.base import uuid7
from domain.core.mailboxes import mailbox
from domain.messages.channel_selection import channels, e164, not_before
from domain.messages.events import Queued
from domain.messages.model import Address, Enclosure, Message, Unsubscription
from domain.messages.rules import Attachment, check_variables, render
from domain.messages.template_data import Variables


@dataclass(frozen=True, slots=True)
class Recipient:
    """Recipient of a message: addresses by channel, the preferred channel, language and quiet hours."""

    name: str
    language: str
    time_zone: str
    preferred: Channel
    reached_at: Mapping[Channel, str]
    quiet_from: time | None = None
    quiet_until: time | None = None
    contact_id: UUID | None = None
    user_id: UUID | None = None


async def compose(
    tx: Tx,
    account_id: UUID,
    *,
    intent: str,
    template: str | type[Variables],
    variables: Mapping[str, Any],
    attachments: Sequence[Attachment] = (),
    contacts: Collection[UUID] | None = None,
) -> list[Message]:
    """Compose one message for each contact that accepts service messages and has an address.

    A contact that already got a message about this intent is skipped, and so is one that unsubscribed from the
    template's topic. `contacts` limits the recipients. Returns the new messages; refuses an unknown template and
    variables that do not fit it.
    """
    values = check_variables(template, variables)
    query = select(Contact).where(
        Contact.account_id == account_id, tx.actor.scope(Contact), Contact.wants_service_messages
    )
    if contacts is not None:
        query = query.where(Contact.id.in_(contacts))
    if values.topic is not None:
        away = select(Unsubscription.contact_id).where(Unsubscription.topic == values.topic)
        query = query.where(Contact.id.not_in(away))
    people = list(await tx.session.scalars(query.order_by(Contact.id)))
    addresses = await _addresses(tx.session, [contact.id for contact in people])
    readers = (_reader(contact, addresses) for contact in people)
    return await _write(tx, account_id, values, readers, intent, attachments)


async def compose_to_users(
    tx: Tx,
    user_ids: Collection[UUID],
    *,
    account_id: UUID,
    intent: str,
    template: str | type[Variables],
    variables: Mapping[str, Any],
    attachments: Sequence[Attachment] = (),
) -> list[Message]:
    """Compose a message about an account for colleagues, by e-mail; hidden from clients, with their facts."""
    values = check_variables(template, variables)
    account = await tx.session.scalar(
        select(Account).where(Account.id == account_id, tx.actor.scope(Account))
    )
    if account is None:
        return []
    tenant = await tx.session.get_one(Tenant, tx.actor.tenant_id)
    users = await tx.session.scalars(
        select(User)
        .where(User.id.in_(user_ids), User.tenant_id == tenant.id, User.disabled_at.is_(None))
        .order_by(User.id)
    )
    readers = [
        Recipient(
            name=user.name,
            language=account.language,
            time_zone=tenant.time_zone,
            preferred=Channel.EMAIL,
            reached_at={Channel.EMAIL: user.email},
            user_id=user.id,
        )
        for user in users
    ]
    return await _write(tx, account_id, values, readers, intent, attachments)


def _reader(contact: Contact, addresses: Mapping[UUID, Mapping[Channel, str]]) -> Recipient:
    own = {Channel.EMAIL: contact.email, Channel.SMS: e164(contact.phone)}
    reached_at = {channel: address for channel, address in own.items() if address}
    return Recipient(
        name=contact.name,
        language=contact.language,
        time_zone=contact.time_zone,
        preferred=contact.channel,
        reached_at=reached_at | dict(addresses.get(contact.id, {})),
        quiet_from=contact.quiet_from,
        quiet_until=contact.quiet_until,
        contact_id=contact.id,
    )


async def _addresses(
    session: AsyncSession, contact_ids: Collection[UUID]
) -> dict[UUID, dict[Channel, str]]:
    """Return the newest address of each contact and channel."""
    rows = await session.scalars(
        select(Address)
        .where(Address.contact_id.in_(contact_ids), Address.ended_at.is_(None))
        .order_by(Address.id)
    )
    found: dict[UUID, dict[Channel, str]] = {}
    for row in rows:
        found.setdefault(row.contact_id, {})[row.channel] = row.url
    return found


async def _write(
    tx: Tx,
    account_id: UUID,
    values: Variables,
    readers: Iterable[Recipient],
    intent: str,
    attachments: Sequence[Attachment],
) -> list[Message]:
    written = []
    mailboxes: set[str] = (
        set()
    )  # people who were entered twice before duplicates were refused get one message
    for reader in readers:
        order = channels(
            values.urgency, reader.preferred, reader.reached_at, email_only=values.email_only
        )
        if not order:
            continue
        if order[0] is Channel.EMAIL:
            address = mailbox(reader.reached_at[Channel.EMAIL])
            if address in mailboxes:
                continue
            mailboxes.add(address)
        files = [each for each in attachments if each.language in {None, reader.language}]
        message = await _insert(tx, account_id, values, reader, order, intent, files)
        if message is None:
            continue
        for position, file in enumerate(files):
            tx.session.add(_enclosure(message, position, file))
        written.append(message)
        tx.record(
            Queued(
                account_id=account_id,
                subject_id=message.id,
                at=tx.at,
                contact_id=reader.contact_id,
                intent=intent,
                template=values.template,
                internal=reader.user_id is not None,
            )
        )
    return written


async def _insert(
    tx: Tx,
    account_id: UUID,
    values: Variables,
    reader: Recipient,
    order: Sequence[Channel],
    intent: str,
    files: Sequence[Attachment],
) -> Message | None:
    """Insert the message, unless this person already has one about this intent (unique key)."""
    words = render(values, language=reader.language, time_zone=reader.time_zone, name=reader.name)
    person = Message.contact_id if reader.user_id is None else Message.user_id
    message: Message | None = await tx.session.scalar(
        insert(Message)
        .values(
            id=uuid7(),
            tenant_id=tx.actor.tenant_id,
            account_id=account_id,
            contact_id=reader.contact_id,
            user_id=reader.user_id,
            intent=intent,
            template=values.template,
            template_version=values.version,
            language=reader.language,
            urgency=values.urgency,
            topic=values.topic,
            unsubscribe_key=None if values.topic is None else secrets.token_urlsafe(24),
            channel=order[0],
            recipient=reader.reached_at[order[0]],
            fallbacks=list(order[1:]),
            subject=words.subject,
            body=words.body,
            html=words.html,
            content_sha256=words.sha256(files),
            queued_at=tx.at,
            not_before=not_before(
                tx.at,
                urgency=values.urgency,
                time_zone=reader.time_zone,
                quiet_from=reader.quiet_from,
                quiet_until=reader.quiet_until,
            ),
        )
        .on_conflict_do_nothing(index_elements=[Message.intent, person])
        .returning(Message)
    )
    return message


def _enclosure(message: Message, position: int, file: Attachment) -> Enclosure:
    return Enclosure(
        tenant_id=message.tenant_id,
        account_id=message.account_id,
        message_id=message.id,
        position=position,
        name=file.name,
        media_type=file.media_type,
        content_id=file.content_id,
        content=file.content,
    )
