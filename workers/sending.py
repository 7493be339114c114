"""Delivery of messages: sends a message by its channel and records the outcome."""

from datetime import UTC, datetime

from sqlalchemy import select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Contact, Tenant
from domain.core.db import reason, transaction
from domain.messages import Address, AttemptOutcome, Enclosure, Message
from workers.jobs import JobContext, Reschedule
from workers.outbound.senders import Gone, OutboundMessage, TryLater, Unconfirmed, Undeliverable


async def send_message(context: JobContext) -> None:
    """Send one message, exactly once as far as the channel can confirm.

    The attempt is committed before the server is contacted, the handing over before the last byte is sent,
    and the answer at once. So only an attempt that was handed over without an answer is in doubt; before a
    retry, the channel is asked whether it accepted the message.
    """
    message_id = context.fact.subject_id
    async with transaction(context.make) as session:
        pending = await messages.load_for_delivery(
            Tx(session, context.actor, context.at), message_id
        )
    if pending is None:
        return
    outgoing = await _outbound(context, pending.message)
    if pending.unsettled is not None and await _was_accepted(context, outgoing, pending.unsettled):
        return
    wait_until = pending.message.not_before
    if wait_until is not None and context.at < wait_until:
        raise Reschedule(wait_until, "the reader's quiet hours", lets_pass=True)
    await _attempt(context, outgoing)


async def _was_accepted(
    context: JobContext, outgoing: OutboundMessage, attempt: messages.Attempt
) -> bool:
    """Settle an attempt whose answer is unknown; return whether the message was accepted."""
    sender = context.senders.of(outgoing.message)
    accepted = await sender.accepted(outgoing)
    message_id = outgoing.message.id
    if accepted:
        await messages.mark_sent(Tx(context.session, context.actor, context.at), message_id)
        return True
    settled_at = (attempt.handed_over_at or attempt.began_at) + sender.settles_in
    if accepted is False and context.at < settled_at:
        raise Reschedule(settled_at, "the next server may still be taking it")
    outcome = AttemptOutcome.UNKNOWN if accepted is None else AttemptOutcome.FAILED
    async with transaction(context.make) as session:
        await messages.mark_retry(
            Tx(session, context.actor, context.at),
            message_id,
            error="no answer was heard",
            outcome=outcome,
        )
    return False


async def _attempt(context: JobContext, outgoing: OutboundMessage) -> None:
    """Make one attempt. A rejected message uses another channel or fails; a transient failure is retried."""
    actor, message_id = context.actor, outgoing.message.id
    async with transaction(context.make) as session:
        attempt = await messages.begin(Tx(session, actor, context.at), message_id)
    if attempt is None:
        return

    async def handing_over() -> None:
        async with transaction(context.make) as session:
            await messages.mark_handed_over(session, attempt.id, at=datetime.now(UTC))

    try:
        await context.senders.of(outgoing.message).send(outgoing, handing_over)
    except Undeliverable as refused:
        async with transaction(context.make) as session:
            gone = isinstance(refused, Gone)
            if gone and outgoing.address is not None:
                contact = await session.get_one(Contact, outgoing.message.contact_id)
                url = outgoing.message.recipient
                await messages.remove_address(Tx(session, actor, context.at), contact, url)
            next_channel = await messages.mark_rejected(
                Tx(session, actor, context.at), message_id, error=str(refused), nobody_there=gone
            )
        if next_channel is not None:
            raise Reschedule(context.at, f"{next_channel} takes over") from refused
        return
    except Exception as error:
        error_text = reason(error)
        async with transaction(context.make) as session:
            if context.is_last:
                await messages.mark_failed(
                    Tx(session, actor, context.at), message_id, error=error_text
                )
            elif isinstance(error, Unconfirmed):
                await messages.mark_unconfirmed(session, actor, message_id, error=error_text)
            else:
                next_channel = await messages.mark_retry(
                    Tx(session, actor, context.at), message_id, error=error_text
                )
                if next_channel is not None and isinstance(error, TryLater):
                    raise Reschedule(context.at, f"{next_channel} takes over") from error
        raise
    await messages.mark_sent(Tx(context.session, actor, datetime.now(UTC)), message_id)


async def _outbound(context: JobContext, message: Message) -> OutboundMessage:
    tenant = await context.session.get_one(Tenant, message.tenant_id)
    files = await context.session.scalars(
        select(Enclosure).where(Enclosure.message_id == message.id).order_by(Enclosure.position)
    )
    address = await context.session.scalar(
        select(Address).where(
            Address.contact_id == message.contact_id, Address.url == message.recipient
        )
    )
    return OutboundMessage(message, tenant.name, files.all(), address)
