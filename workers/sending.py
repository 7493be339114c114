"""A consequence of a written message: it is sent, and what came of it is written down."""

from datetime import UTC, datetime

from sqlalchemy import select

from domain import messages
from domain.accounts.model import Contact, Tenant
from domain.core.db import reason, transaction
from domain.messages import Address, AttemptOutcome, Enclosure, Message
from workers.jobs import JobContext, Reschedule
from workers.outbound.senders import Gone, OutboundMessage, TryLater, Unconfirmed, Undeliverable


async def send_message(hand: JobContext) -> None:
    """Send one message, exactly once as far as the channel lets us know.

    What is attempted is committed before the next server is spoken to, that it is handed over before the last byte, and
    the answer at once. So only an attempt that was handed over and not answered is in doubt, and before there is
    another one, the channel is asked.
    """
    message_id = hand.fact.subject_id
    async with transaction(hand.make) as session:
        standing = await messages.load_for_delivery(session, hand.actor, message_id, at=hand.at)
    if standing is None:
        return
    parcel = await _parcel(hand, standing.message)
    if standing.unsettled is not None and await _was_accepted(hand, parcel, standing.unsettled):
        return
    wait_until = standing.message.not_before
    if wait_until is not None and hand.at < wait_until:
        raise Reschedule(wait_until, "the reader's quiet hours", lets_pass=True)
    await _attempt(hand, parcel)


async def _was_accepted(
    hand: JobContext, parcel: OutboundMessage, attempt: messages.Attempt
) -> bool:
    """Settle an attempt that nobody heard the end of; whether the message left with it."""
    sender = hand.senders.of(parcel.message)
    accepted = await sender.accepted(parcel)
    message_id = parcel.message.id
    if accepted:
        await messages.mark_sent(hand.session, hand.actor, message_id, at=hand.at)
        return True
    settled_at = (attempt.handed_over_at or attempt.began_at) + sender.settles_in
    if accepted is False and hand.at < settled_at:
        raise Reschedule(settled_at, "the next server may still be taking it")
    outcome = AttemptOutcome.UNKNOWN if accepted is None else AttemptOutcome.FAILED
    async with transaction(hand.make) as session:
        await messages.mark_retry(
            session,
            hand.actor,
            message_id,
            at=hand.at,
            error="no answer was heard",
            outcome=outcome,
        )
    return False


async def _attempt(hand: JobContext, parcel: OutboundMessage) -> None:
    """One attempt. What is refused for good goes by another channel, or fails; what fails for now comes again."""
    actor, message_id = hand.actor, parcel.message.id
    async with transaction(hand.make) as session:
        attempt = await messages.begin(session, actor, message_id, at=hand.at)
    if attempt is None:
        return

    async def handing_over() -> None:
        async with transaction(hand.make) as session:
            await messages.mark_handed_over(session, attempt.id, at=datetime.now(UTC))

    try:
        await hand.senders.of(parcel.message).send(parcel, handing_over)
    except Undeliverable as refused:
        async with transaction(hand.make) as session:
            gone = isinstance(refused, Gone)
            if gone and parcel.address is not None:
                contact = await session.get_one(Contact, parcel.message.contact_id)
                url = parcel.message.recipient
                await messages.remove_address(session, actor, contact, url, at=hand.at)
            turned_to = await messages.mark_rejected(
                session, actor, message_id, at=hand.at, error=str(refused), nobody_there=gone
            )
        if turned_to is not None:
            raise Reschedule(hand.at, f"{turned_to} takes over") from refused
        return
    except Exception as error:
        said = reason(error)
        async with transaction(hand.make) as session:
            if hand.is_last:
                await messages.mark_failed(session, actor, message_id, at=hand.at, error=said)
            elif isinstance(error, Unconfirmed):
                await messages.mark_unconfirmed(session, actor, message_id, error=said)
            else:
                turned_to = await messages.mark_retry(
                    session, actor, message_id, at=hand.at, error=said
                )
                if turned_to is not None and isinstance(error, TryLater):
                    raise Reschedule(hand.at, f"{turned_to} takes over") from error
        raise
    await messages.mark_sent(hand.session, actor, message_id, at=datetime.now(UTC))


async def _parcel(hand: JobContext, message: Message) -> OutboundMessage:
    tenant = await hand.session.get_one(Tenant, message.tenant_id)
    files = await hand.session.scalars(
        select(Enclosure).where(Enclosure.message_id == message.id).order_by(Enclosure.position)
    )
    address = await hand.session.scalar(
        select(Address).where(
            Address.contact_id == message.contact_id, Address.url == message.recipient
        )
    )
    return OutboundMessage(message, tenant.name, files.all(), address)
