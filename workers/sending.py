"""A consequence of a written message: it is sent, and what came of it is written down."""

from datetime import UTC, datetime

from sqlalchemy import select

from domain import messages
from domain.accounts.model import Contact, Tenant
from domain.db import reason, transaction
from domain.messages import Address, Enclosure, Message, Outcome
from workers.jobs import Hand, Later
from workers.senders import Busy, Gone, Parcel, Undeliverable, Unheard


async def send_message(hand: Hand) -> None:
    """Send one message, exactly once as far as the channel lets us know.

    What is attempted is committed before the next server is spoken to, that it is handed over before the last byte, and
    the answer at once. So only an attempt that was handed over and not answered is in doubt, and before there is
    another one, the channel is asked.
    """
    message_id = hand.fact.subject_id
    async with transaction(hand.make) as session:
        standing = await messages.look(session, hand.actor, message_id, at=hand.at)
    if standing is None:
        return
    parcel = await _parcel(hand, standing.message)
    if standing.unsettled is not None and await _was_accepted(hand, parcel, standing.unsettled):
        return
    wait_until = standing.message.not_before
    if wait_until is not None and hand.at < wait_until:
        raise Later(wait_until, "the reader's quiet hours", lets_pass=True)
    await _attempt(hand, parcel)


async def _was_accepted(hand: Hand, parcel: Parcel, attempt: messages.Attempt) -> bool:
    """Settle an attempt that nobody heard the end of; whether the message left with it."""
    sender = hand.senders.of(parcel.message)
    accepted = await sender.accepted(parcel)
    message_id = parcel.message.id
    if accepted:
        await messages.mark_sent(hand.session, hand.actor, message_id, at=hand.at)
        return True
    settled_at = (attempt.handed_over_at or attempt.began_at) + sender.settles_in
    if accepted is False and hand.at < settled_at:
        raise Later(settled_at, "the next server may still be taking it")
    outcome = Outcome.UNKNOWN if accepted is None else Outcome.FAILED
    async with transaction(hand.make) as session:
        await messages.put_back(
            session,
            hand.actor,
            message_id,
            at=hand.at,
            error="no answer was heard",
            outcome=outcome,
        )
    return False


async def _attempt(hand: Hand, parcel: Parcel) -> None:
    """One attempt. What is refused for good goes by another channel, or fails; what fails for now comes again."""
    actor, message_id = hand.actor, parcel.message.id
    async with transaction(hand.make) as session:
        attempt = await messages.begin(session, actor, message_id, at=hand.at)
    if attempt is None:
        return

    async def handing_over() -> None:
        async with transaction(hand.make) as session:
            await messages.hand_over(session, attempt.id, at=datetime.now(UTC))

    try:
        await hand.senders.of(parcel.message).send(parcel, handing_over)
    except Undeliverable as refused:
        async with transaction(hand.make) as session:
            gone = isinstance(refused, Gone)
            if gone and parcel.address is not None:
                contact = await session.get_one(Contact, parcel.message.contact_id)
                url = parcel.message.recipient
                await messages.forget_place(session, actor, contact, url, at=hand.at)
            turned_to = await messages.refuse(
                session, actor, message_id, at=hand.at, error=str(refused), nobody_there=gone
            )
        if turned_to is not None:
            raise Later(hand.at, f"{turned_to} takes over") from refused
        return
    except Exception as error:
        said = reason(error)
        async with transaction(hand.make) as session:
            if hand.is_last:
                await messages.mark_failed(session, actor, message_id, at=hand.at, error=said)
            elif isinstance(error, Unheard):
                await messages.note_unheard(session, actor, message_id, error=said)
            else:
                turned_to = await messages.put_back(
                    session, actor, message_id, at=hand.at, error=said
                )
                if turned_to is not None and isinstance(error, Busy):
                    raise Later(hand.at, f"{turned_to} takes over") from error
        raise
    await messages.mark_sent(hand.session, actor, message_id, at=datetime.now(UTC))


async def _parcel(hand: Hand, message: Message) -> Parcel:
    tenant = await hand.session.get_one(Tenant, message.tenant_id)
    files = await hand.session.scalars(
        select(Enclosure).where(Enclosure.message_id == message.id).order_by(Enclosure.position)
    )
    address = await hand.session.scalar(
        select(Address).where(
            Address.contact_id == message.contact_id, Address.url == message.recipient
        )
    )
    return Parcel(message, tenant.name, files.all(), address)
