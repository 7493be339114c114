"""Send messages: what is attempted is written down before, what came of it after, each in a commit of its own.

An attempt that was handed over and has no outcome may have been accepted. It is settled before another one begins.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Role
from domain.accounts.model import Channel, Contact
from domain.core.errors import Code, Refused
from domain.core.ledger import record
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
"""Failed attempts by one channel before another takes over, if there is one; what is critical waits for one."""
LONGEST_ERROR = 500
"""Characters that are kept of what another server said, without control characters: PostgreSQL takes no NUL."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message that has not come to its end, and an attempt whose outcome is not known, if there is one."""

    message: Message
    unsettled: Attempt | None


async def load_for_delivery(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime
) -> PendingMessage | None:
    """How a message stands; None when it has come to its end before.

    An attempt that ended with its process before it was handed over has failed, and is closed as that. To an address
    at which nobody is no letter is sent: another channel takes over, or the message has failed.
    """
    message = await _locked(session, actor, message_id)
    if message.state not in WAITING:
        return None
    last = await _open(session, message)
    if last is not None and last.handed_over_at is not None:
        return PendingMessage(message, last)
    if last is not None:
        _end(last, AttemptOutcome.FAILED, at, "it was stopped before it was handed over")
    if message.channel is Channel.EMAIL and await is_suppressed(
        session, message, message.recipient
    ):
        if not await _turn(session, message):
            _fail(session, actor, message, at, STOPPED)
            return None
        message.error = STOPPED
    return PendingMessage(message, None)


async def begin(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime
) -> Attempt | None:
    """Write down that it is being sent; None when it has come to its end, also because the reader unsubscribed."""
    message = await _locked(session, actor, message_id)
    if message.state not in WAITING:
        return None
    if message.topic is not None and await session.scalar(
        select(Unsubscription.id).where(
            Unsubscription.contact_id == message.contact_id, Unsubscription.topic == message.topic
        )
    ):
        _fail(session, actor, message, at, "the reader unsubscribed")
        return None
    message.state = MessageState.SENDING
    message.attempts += 1
    attempt = Attempt(
        tenant_id=message.tenant_id,
        account_id=message.account_id,
        message_id=message.id,
        number=message.attempts,
        channel=message.channel,
        began_at=at,
    )
    session.add(attempt)
    return attempt


async def mark_handed_over(session: AsyncSession, attempt_id: UUID, *, at: datetime) -> None:
    """From here on it may be accepted without our hearing of it."""
    attempt = await session.get_one(Attempt, attempt_id)
    attempt.handed_over_at = at


async def mark_sent(session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime) -> None:
    """The next server took it."""
    message = await _locked(session, actor, message_id)
    if message.state not in WAITING:
        return
    attempt = await _open(session, message)
    if attempt is not None:
        _end(attempt, AttemptOutcome.ACCEPTED, at, None)
    message.state, message.sent_at, message.error = MessageState.SENT, at, None
    record(
        session,
        actor,
        Sent(**_of(message), at=at, channel=message.channel),
    )


async def mark_retry(
    session: AsyncSession,
    actor: Actor,
    message_id: UUID,
    *,
    at: datetime,
    error: str,
    outcome: AttemptOutcome = AttemptOutcome.FAILED,
) -> Channel | None:
    """It was not delivered for now. After several times another channel takes over: the one returned."""
    message = await _locked(session, actor, message_id)
    if message.state not in WAITING:
        return None
    error = cleaned(error, LONGEST_ERROR)
    attempt = await _open(session, message)
    if attempt is not None:
        _end(attempt, outcome, at, error)
    message.state, message.error = MessageState.QUEUED, error
    tries = await session.scalars(
        select(Attempt.id).where(
            Attempt.message_id == message.id, Attempt.channel == message.channel
        )
    )
    patience = 1 if message.urgency is Urgency.CRITICAL else PATIENCE
    is_over = outcome is AttemptOutcome.FAILED and len(tries.all()) >= patience
    return message.channel if is_over and await _turn(session, message) else None


async def mark_unconfirmed(
    session: AsyncSession, actor: Actor, message_id: UUID, *, error: str
) -> None:
    """It was handed over and no answer was heard: the attempt stays open until it is settled."""
    message = await _locked(session, actor, message_id)
    if message.state in WAITING:
        message.error = cleaned(error, LONGEST_ERROR)


async def mark_rejected(
    session: AsyncSession,
    actor: Actor,
    message_id: UUID,
    *,
    at: datetime,
    error: str,
    nobody_there: bool = False,
) -> Channel | None:
    """This channel will never take it: the one that takes over, or None when the message has failed.

    `nobody_there`: no later letter goes to that address either.
    """
    message = await _locked(session, actor, message_id)
    if message.state not in WAITING:
        return None
    error = cleaned(error, LONGEST_ERROR)
    if nobody_there:
        await suppress(session, actor, message, at=at, error=error)
    attempt = await _open(session, message)
    if attempt is not None:
        _end(attempt, AttemptOutcome.REFUSED, at, error)
    if await _turn(session, message):
        message.state, message.error = MessageState.QUEUED, error
        return message.channel
    _fail(session, actor, message, at, error)
    return None


async def mark_failed(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime, error: str
) -> None:
    """It will not be delivered: every channel refuses it, or all attempts are used up."""
    message = await _locked(session, actor, message_id)
    if message.state in WAITING:
        _fail(session, actor, message, at, cleaned(error, LONGEST_ERROR))


async def mark_delivered(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime
) -> Message:
    """A server said that it is where its reader looks."""
    message = await _locked(session, actor, message_id)
    if message.state is MessageState.SENT:
        message.state, message.delivered_at = MessageState.DELIVERED, at
        record(session, actor, MessageDelivered(**_of(message), at=at))
    return message


async def mark_read(
    session: AsyncSession, actor: Actor, message_id: UUID, *, at: datetime
) -> Message:
    """Record that a message was read, when somebody of its recipient's side says so.

    That a message was read is proof of delivery: a client's users confirm letters to the client's contacts, a colleague
    the letters to that colleague, and nobody else either.
    """
    actor.must(Right.CONFIRM_READING)
    message = await _locked(session, actor, message_id)
    if actor.is_client and message.contact_id is None:
        raise Refused(Code.NOT_FOUND, "No such message.", argument="id")
    own = message.user_id is not None and message.user_id == actor.user_id
    own = own or actor.role is Role.SYSTEM  # a notice from the recipient's mail program
    if not own and not (actor.is_client and message.contact_id is not None):
        raise Refused(
            Code.NOT_ALLOWED, "Only the recipient's side confirms that a message was read.",
            argument="id",
        )  # fmt: skip
    if message.state in ARRIVED - {MessageState.READ}:
        message.state, message.read_at = MessageState.READ, at
        record(session, actor, MessageRead(**_of(message), at=at))
    return message


async def bounce(
    session: AsyncSession,
    actor: Actor,
    message_id: UUID,
    *,
    at: datetime,
    error: str,
    verdict: BounceVerdict | None = None,
) -> None:
    """It came back after it had been taken: another channel takes over, or it ends here.

    When nobody is at the address, no later letter goes there either. Without a `verdict` the error is judged.
    """
    message = await _locked(session, actor, message_id)
    if message.state not in ARRIVED - {MessageState.READ}:
        return
    error = cleaned(error, LONGEST_ERROR)
    verdict = judge(error) if verdict is None else verdict
    if verdict is BounceVerdict.HARD:
        await suppress(session, actor, message, at=at, error=error)
    message.bounced_at, message.error = at, error
    turned = await _turn(session, message)
    message.state = MessageState.QUEUED if turned else MessageState.BOUNCED
    by = message.channel if turned else None
    record(
        session, actor, Bounced(**_of(message), at=at, error=error, again_by=by, verdict=verdict)
    )


async def _turn(session: AsyncSession, message: Message) -> bool:
    """Let the next channel at which the person can still be reached take over; whether there is one."""
    while message.fallbacks and message.contact_id is not None:
        channel, *rest = message.fallbacks
        message.fallbacks = rest
        place = await _place(session, message.contact_id, Channel(channel))
        if place is None or (
            channel == Channel.EMAIL and await is_suppressed(session, message, place)
        ):
            continue
        message.channel, message.recipient = Channel(channel), place
        return True
    return False


async def _place(session: AsyncSession, contact_id: UUID, channel: Channel) -> str | None:
    contact = await session.get_one(Contact, contact_id)
    if channel is Channel.EMAIL:
        return contact.email
    if channel is Channel.SMS:
        return e164(contact.phone)
    place: str | None = await session.scalar(
        select(Address.url)
        .where(
            Address.contact_id == contact_id,
            Address.channel == channel,
            Address.ended_at.is_(None),
        )
        .order_by(Address.id.desc())
        .limit(1)
    )
    return place


def _fail(session: AsyncSession, actor: Actor, message: Message, at: datetime, error: str) -> None:
    message.state, message.error = MessageState.FAILED, error
    record(session, actor, Failed(**_of(message), at=at, error=error))


def _end(attempt: Attempt, outcome: AttemptOutcome, at: datetime, error: str | None) -> None:
    attempt.outcome, attempt.ended_at, attempt.error = outcome, at, error


def _of(message: Message) -> dict[str, Any]:
    """What every fact about a message says."""
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
    message: Message | None = await session.scalar(
        select(Message)
        .where(Message.id == message_id, actor.scope(Message))
        .with_for_update(key_share=True)
    )
    if message is None:
        raise Refused(Code.NOT_FOUND, "No such message.", argument="id")
    return message
