"""Send messages: each attempt is recorded before and its outcome after, each in a commit of its own.

An attempt that was handed over and has no outcome may have been accepted. It is settled before another one begins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Role, Tx, row_of
from domain.accounts.model import Channel, Contact
from domain.core.errors import Code, Refused
from domain.core.text_rules import cleaned
from domain.messages.bounce_rules import BounceVerdict, judge
from domain.messages.channel_selection import e164
from domain.messages.events import Bounced, Failed, MessageDelivered, MessageRead, Sent
from domain.messages.model import (
    Address,
    Attempt,
    AttemptOutcome,
    Message,
    MessageState,
    Unsubscription,
    Urgency,
)
from domain.messages.suppression import STOPPED, is_suppressed, suppress

WAITING = frozenset({MessageState.QUEUED, MessageState.SENDING})
ARRIVED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ})
PATIENCE = 3
"""Failed attempts on one channel before the next one is used; a critical message uses the next one after the first."""
LONGEST_ERROR = 500
"""Stored length of another server's error text, without control characters (PostgreSQL stores no NUL)."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message without a final state, and its attempt without an outcome, if there is one."""

    message: Message
    unsettled: Attempt | None


async def load_for_delivery(tx: Tx, message_id: UUID) -> PendingMessage | None:
    """Load a message for delivery; None when it has a final state.

    An attempt whose process ended before the handover is closed as failed. A message to a suppressed address is not
    sent: the next channel is used, or the message has failed.
    """
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in WAITING:
        return None
    last = await _open(tx.session, message)
    if last is not None and last.handed_over_at is not None:
        return PendingMessage(message, last)
    if last is not None:
        _end(last, AttemptOutcome.FAILED, tx.at, "it was stopped before it was handed over")
    if message.channel is Channel.EMAIL and await is_suppressed(
        tx.session, message, message.recipient
    ):
        if not await _fall_back(tx.session, message):
            _fail(tx, message, STOPPED)
            return None
        message.error = STOPPED
    return PendingMessage(message, None)


async def begin(tx: Tx, message_id: UUID) -> Attempt | None:
    """Record the start of an attempt; None when the message has a final state, also because the reader unsubscribed."""
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in WAITING:
        return None
    if message.topic is not None and await tx.session.scalar(
        select(Unsubscription.id).where(
            Unsubscription.contact_id == message.contact_id, Unsubscription.topic == message.topic
        )
    ):
        _fail(tx, message, "the reader unsubscribed")
        return None
    message.state = MessageState.SENDING
    message.attempts += 1
    attempt = Attempt(
        tenant_id=message.tenant_id,
        account_id=message.account_id,
        message_id=message.id,
        number=message.attempts,
        channel=message.channel,
        began_at=tx.at,
    )
    tx.session.add(attempt)
    return attempt


async def mark_handed_over(session: AsyncSession, attempt_id: UUID, *, at: datetime) -> None:
    """Record the handover; from now on the message may be accepted without a response."""
    attempt = await session.get_one(Attempt, attempt_id)
    attempt.handed_over_at = at


async def mark_sent(tx: Tx, message_id: UUID) -> None:
    """Record that the next server accepted the message."""
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in WAITING:
        return
    attempt = await _open(tx.session, message)
    if attempt is not None:
        _end(attempt, AttemptOutcome.ACCEPTED, tx.at, None)
    message.state, message.sent_at, message.error = MessageState.SENT, tx.at, None
    tx.record(Sent(**_fact_fields(message), at=tx.at, channel=message.channel))


async def mark_retry(
    tx: Tx, message_id: UUID, *, error: str, outcome: AttemptOutcome = AttemptOutcome.FAILED
) -> Channel | None:
    """Record a temporary failure; after several, return the channel that is used next."""
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in WAITING:
        return None
    error = cleaned(error, LONGEST_ERROR)
    attempt = await _open(tx.session, message)
    if attempt is not None:
        _end(attempt, outcome, tx.at, error)
    message.state, message.error = MessageState.QUEUED, error
    tries = await tx.session.scalars(
        select(Attempt.id).where(
            Attempt.message_id == message.id, Attempt.channel == message.channel
        )
    )
    patience = 1 if message.urgency is Urgency.CRITICAL else PATIENCE
    is_over = outcome is AttemptOutcome.FAILED and len(tries.all()) >= patience
    return message.channel if is_over and await _fall_back(tx.session, message) else None


async def mark_unconfirmed(
    session: AsyncSession, actor: Actor, message_id: UUID, *, error: str
) -> None:
    """Record that the message was handed over without a response; the attempt stays open until it is settled."""
    message = await _locked(session, actor, message_id)
    if message.state in WAITING:
        message.error = cleaned(error, LONGEST_ERROR)


async def mark_rejected(
    tx: Tx, message_id: UUID, *, error: str, nobody_there: bool = False
) -> Channel | None:
    """Record a permanent rejection; return the next channel, or None when the message has failed.

    `nobody_there`: the address is suppressed for later messages too.
    """
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in WAITING:
        return None
    error = cleaned(error, LONGEST_ERROR)
    if nobody_there:
        await suppress(tx, message, error=error)
    attempt = await _open(tx.session, message)
    if attempt is not None:
        _end(attempt, AttemptOutcome.REFUSED, tx.at, error)
    if await _fall_back(tx.session, message):
        message.state, message.error = MessageState.QUEUED, error
        return message.channel
    _fail(tx, message, error)
    return None


async def mark_failed(tx: Tx, message_id: UUID, *, error: str) -> None:
    """Mark a message as failed: every channel rejects it, or all attempts are used up."""
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state in WAITING:
        _fail(tx, message, cleaned(error, LONGEST_ERROR))


async def mark_delivered(tx: Tx, message_id: UUID) -> Message:
    """Record that a server delivered the message to its reader's mailbox or device."""
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state is MessageState.SENT:
        message.state, message.delivered_at = MessageState.DELIVERED, tx.at
        tx.record(MessageDelivered(**_fact_fields(message), at=tx.at))
    return message


async def mark_read(tx: Tx, message_id: UUID) -> Message:
    """Record that a message was read, on confirmation by the recipient's side.

    A confirmation proves delivery. A client's users confirm messages to the client's contacts, a colleague the messages
    to that colleague, and nobody else.
    """
    tx.actor.must(Right.CONFIRM_READING)
    message = await _locked(tx.session, tx.actor, message_id)
    if tx.actor.is_client and message.contact_id is None:
        raise Refused(Code.NOT_FOUND, "No such message.", argument="id")
    own = message.user_id is not None and message.user_id == tx.actor.user_id
    own = own or tx.actor.role is Role.SYSTEM  # a read receipt from the recipient's mail program
    if not own and not (tx.actor.is_client and message.contact_id is not None):
        raise Refused(
            Code.NOT_ALLOWED,
            "Only the recipient's side can confirm that a message was read.",
            argument="id",
        )
    if message.state in ARRIVED - {MessageState.READ}:
        message.state, message.read_at = MessageState.READ, tx.at
        tx.record(MessageRead(**_fact_fields(message), at=tx.at))
    return message


async def bounce(
    tx: Tx, message_id: UUID, *, error: str, verdict: BounceVerdict | None = None
) -> None:
    """Record a bounce after the message was accepted: use the next channel, or end the delivery.

    A hard bounce also suppresses the address. Without a `verdict` the error text is classified.
    """
    message = await _locked(tx.session, tx.actor, message_id)
    if message.state not in ARRIVED - {MessageState.READ}:
        return
    error = cleaned(error, LONGEST_ERROR)
    verdict = judge(error) if verdict is None else verdict
    if verdict is BounceVerdict.HARD:
        await suppress(tx, message, error=error)
    message.bounced_at, message.error = tx.at, error
    turned = await _fall_back(tx.session, message)
    message.state = MessageState.QUEUED if turned else MessageState.BOUNCED
    by = message.channel if turned else None
    tx.record(Bounced(**_fact_fields(message), at=tx.at, error=error, again_by=by, verdict=verdict))


async def _fall_back(session: AsyncSession, message: Message) -> bool:
    """Switch to the next channel that can reach the person; return whether there is one."""
    while message.fallbacks and message.contact_id is not None:
        channel, *rest = message.fallbacks
        message.fallbacks = rest
        address = await _address_of(session, message.contact_id, Channel(channel))
        if address is None or (
            channel == Channel.EMAIL and await is_suppressed(session, message, address)
        ):
            continue
        message.channel, message.recipient = Channel(channel), address
        return True
    return False


async def _address_of(session: AsyncSession, contact_id: UUID, channel: Channel) -> str | None:
    contact = await session.get_one(Contact, contact_id)
    if channel is Channel.EMAIL:
        return contact.email
    if channel is Channel.SMS:
        return e164(contact.phone)
    address: str | None = await session.scalar(
        select(Address.url)
        .where(
            Address.contact_id == contact_id,
            Address.channel == channel,
            Address.ended_at.is_(None),
        )
        .order_by(Address.id.desc())
        .limit(1)
    )
    return address


def _fail(tx: Tx, message: Message, error: str) -> None:
    message.state, message.error = MessageState.FAILED, error
    tx.record(Failed(**_fact_fields(message), at=tx.at, error=error))


def _end(attempt: Attempt, outcome: AttemptOutcome, at: datetime, error: str | None) -> None:
    attempt.outcome, attempt.ended_at, attempt.error = outcome, at, error


def _fact_fields(message: Message) -> dict[str, Any]:
    """Return the fields of every fact about a message."""
    return {
        "account_id": message.account_id,
        "subject_id": message.id,
        "contact_id": message.contact_id,
        "intent": message.intent,
        "internal": message.user_id is not None,
    }


async def _open(session: AsyncSession, message: Message) -> Attempt | None:
    attempt: Attempt | None = await session.scalar(
        select(Attempt)
        .where(
            Attempt.message_id == message.id,
            Attempt.outcome.is_(None),
        )
        .order_by(Attempt.number.desc())
        .limit(1)
    )
    return attempt


async def _locked(session: AsyncSession, actor: Actor, message_id: UUID) -> Message:
    return await row_of(session, actor, Message, message_id, "message", lock=True)
