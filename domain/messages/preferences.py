"""Message preferences: unsubscribing, and addresses besides e-mail and telephone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx
from domain.accounts.model import Channel, Contact
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.messages.events import AddressAdded, AddressEnded, Subscribed, Unsubscribed
from domain.messages.model import Address, Message, Unsubscription
from domain.webhooks import check_url

_KEYED = frozenset({Channel.PUSH})
_WITH_URL = frozenset({Channel.PUSH, Channel.CHAT})


async def message_by_key(session: AsyncSession, key: str) -> Message | None:
    """Return the message with this unsubscribe key; None when there is none."""
    message: Message | None = await session.scalar(
        select(Message).where(Message.unsubscribe_key == key)
    )
    return message


async def unsubscribe(session: AsyncSession, key: str, *, at: datetime) -> Message | None:
    """Unsubscribe the reader of the message with this key from its topic; None when there is no such key.

    The key is the authorization, because it was sent to the reader only. A second call has no effect.
    """
    message = await message_by_key(session, key)
    if message is None or message.contact_id is None or message.topic is None:
        return message
    added = await session.scalar(
        insert(Unsubscription)
        .values(
            id=uuid7(),
            tenant_id=message.tenant_id,
            account_id=message.account_id,
            contact_id=message.contact_id,
            topic=message.topic,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=[Unsubscription.contact_id, Unsubscription.topic])
        .returning(Unsubscription.id)
    )
    if added is not None:
        record(
            session,
            Actor.system(message.tenant_id, "unsubscribe"),
            Unsubscribed(
                account_id=message.account_id,
                subject_id=message.contact_id,
                at=at,
                topic=message.topic,
            ),
        )
    return message


async def subscribe(tx: Tx, contact_id: UUID, *, topic: str) -> Contact:
    """Subscribe a contact to a topic again, on the word of a user who manages the contact."""
    contact = await _contact(tx, contact_id)
    gone = await tx.session.scalars(
        delete(Unsubscription)
        .where(Unsubscription.contact_id == contact_id, Unsubscription.topic == topic)
        .returning(Unsubscription.id)
    )
    if gone.all():
        tx.record(
            Subscribed(account_id=contact.account_id, subject_id=contact.id, at=tx.at, topic=topic)
        )
    return contact


async def add_address(
    tx: Tx,
    contact_id: UUID,
    *,
    channel: Channel,
    url: str,
    p256dh: str | None = None,
    auth: str | None = None,
    loopback: bool = False,
) -> Contact:
    """Add a chat webhook or a browser's push subscription (which has keys) to a contact; idempotent."""
    contact = await _contact(tx, contact_id)
    if channel not in _WITH_URL:
        raise Refused(
            Code.INVALID,
            f"An address can be added for CHAT and PUSH only, not for {channel}.",
            argument="channel",
        )
    if (channel in _KEYED) != (p256dh is not None and auth is not None):
        raise Refused(
            Code.INVALID,
            "A push subscription needs p256dh and auth; a chat webhook has neither.",
            argument="auth",
        )
    check_url(url, loopback=loopback)
    added = await tx.session.scalar(
        insert(Address)
        .values(
            id=uuid7(),
            tenant_id=contact.tenant_id,
            account_id=contact.account_id,
            contact_id=contact.id,
            channel=channel,
            url=url,
            p256dh=p256dh,
            auth=auth,
            added_at=tx.at,
        )
        .on_conflict_do_update(
            index_elements=[Address.contact_id, Address.url],
            set_={"ended_at": None, "p256dh": p256dh, "auth": auth, "channel": channel},
        )
        .returning(Address.id)
    )
    if added is not None:
        _record_fact(tx, contact, AddressAdded, channel)
    return contact


async def end_address(tx: Tx, contact_id: UUID, *, url: str) -> Contact:
    """Remove an address of a contact; refused when there is no such address."""
    contact = await _contact(tx, contact_id)
    if not await remove_address(tx, contact, url):
        raise Refused(Code.NOT_FOUND, "No such address.", argument="url")
    return contact


async def remove_address(tx: Tx, contact: Contact, url: str) -> bool:
    """Remove an address that no longer exists; return whether the contact had it."""
    address = await tx.session.scalar(
        select(Address).where(
            Address.contact_id == contact.id, Address.url == url, Address.ended_at.is_(None)
        )
    )
    if address is None:
        return False
    address.ended_at = tx.at
    _record_fact(tx, contact, AddressEnded, address.channel)
    return True


def _record_fact(
    tx: Tx, contact: Contact, kind: type[AddressAdded | AddressEnded], channel: Channel
) -> None:
    tx.record(kind(account_id=contact.account_id, subject_id=contact.id, at=tx.at, channel=channel))


async def _contact(tx: Tx, contact_id: UUID) -> Contact:
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    return await tx.get(Contact, contact_id, "contact", argument="contactId", lock=True)
