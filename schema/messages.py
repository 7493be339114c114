"""Messages to contacts, with their delivery."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, messages
from domain.accounts import Channel
from domain.messages.model import Attempt as AttemptModel
from domain.messages.model import AttemptOutcome, MessageState, Urgency
from domain.messages.model import Message as MessageModel
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import ContactId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    MessageState,
    "MessageState",
    queued="Queued: waiting to be sent.",
    sending="Sending: an attempt is in progress.",
    sent="Sent: accepted by the next server.",
    delivered="Delivered to the recipient, as confirmed by a server.",
    read="Opened by the recipient, as confirmed by the recipient.",
    bounced="Bounced: returned as not deliverable.",
    failed="Failed for good: no further attempts.",
)
enum(
    Urgency,
    "Urgency",
    low="Low: at any convenient time.",
    normal="Normal: within the same day.",
    high="High: within a short time.",
    critical="Critical: immediately, also in quiet hours.",
)
enum(
    AttemptOutcome,
    "MessageOutcome",
    accepted="The next server accepted the message.",
    refused="The channel permanently refused the message.",
    failed="The attempt failed; a later one may succeed.",
    unknown="Handed over without a response, and the outcome cannot be queried.",
)

Row = strawberry.Parent[MessageModel]
MessageId = Annotated[UUID, GlobalIdOf("Message")]


@from_row(AttemptModel)
class MessageAttempt:
    """Attempt to send a message by one channel."""

    number: Annotated[int, "Number of the attempt: 1, 2, 3 …"]
    channel: Annotated[Channel, "Channel used for the attempt."]
    began_at: Annotated[datetime, "Time at which the attempt started."]
    handed_over_at: Annotated[datetime | None, "Time just before the last byte was sent."]
    ended_at: Annotated[datetime | None, "Time at which the outcome was known."]
    outcome: Annotated[AttemptOutcome | None, "Outcome of the attempt; null while unknown."]
    error: Annotated[str | None, "Error of the attempt; null when there was none.", RESTRICTED]


@from_row(MessageModel)
class Message(Node):
    """Message to one contact about one intent, as it was rendered."""

    intent: Annotated[
        str, ("Subject matter, such as `credit:…`; a contact receives one message for each intent.")
    ]
    template: Annotated[str, "Name of the template used."]
    template_version: Annotated[int, "Version of the template used."]
    language: Annotated[str, "Language of the message, `nl` or `en`."]
    urgency: Annotated[Urgency, "Urgency, which decides about quiet hours."]
    topic: Annotated[
        str | None, "Topic of optional e-mail, such as `reports`; null for other messages."
    ]
    channel: Annotated[Channel, "Channel by which it is sent."]
    recipient: Annotated[str, "Address of the recipient on that channel."]
    subject: Annotated[str, "Subject line of the message."]
    body: Annotated[str, "Text of the message."]
    state: Annotated[MessageState, "State of the delivery."]
    attempts: Annotated[int, "Number of attempts to send it.", RESTRICTED]
    queued_at: Annotated[datetime, "Time at which the message was queued."]
    not_before: Annotated[
        datetime | None, "Earliest time to send it: the end of the recipient's quiet hours."
    ]
    sent_at: Annotated[datetime | None, "Time at which it was accepted by the next server."]
    delivered_at: Annotated[datetime | None, "Time at which it was delivered to the recipient."]
    read_at: Annotated[datetime | None, "Time at which the recipient opened it."]
    bounced_at: Annotated[datetime | None, "Time at which it bounced."]
    error: Annotated[
        str | None, "Error that prevented sending; null when there was none.", RESTRICTED
    ]

    @resolver(list[MessageAttempt])
    @staticmethod
    async def log(row: Row, info: Info) -> list[AttemptModel]:
        """Attempts to send it, oldest first."""
        return await info.context.children(
            AttemptModel.message_id, row.id, order=(AttemptModel.number,)
        )

    account = to_one(Account, accounts.Account, "account_id", "Account that the message concerns.")

    contact = to_one(
        Contact,
        accounts.Contact,
        "contact_id",
        "Contact who receives it; null for a user of the company.",
    )


@mutation_fields
class MessageMutation:
    """Mutations of messages, addresses and subscriptions of contacts."""

    @mutation(Message)
    @staticmethod
    async def read_message(
        ask: MutationContext, id: Annotated[MessageId, "Message that was opened."]
    ) -> MessageModel:
        """Record that the recipient opened a message that was sent."""
        return await messages.mark_read(ask.tx, id)

    @mutation(Contact)
    @staticmethod
    async def add_contact_address(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Contact that the address belongs to."],
        channel: Annotated[Channel, "Channel of the address: `CHAT` or `PUSH`."],
        url: Annotated[
            str,
            "URL of the chat room's incoming webhook, or `endpoint` of the push subscription.",
        ],
        p256dh: Annotated[str | None, "Key `p256dh` of the push subscription."] = None,
        auth: Annotated[str | None, "Key `auth` of the push subscription."] = None,
    ) -> accounts.Contact:
        """Add an address of a contact in a chat room or browser."""
        return await messages.add_address(
            ask.tx, contact_id, channel=channel, url=url, p256dh=p256dh, auth=auth
        )

    @mutation(Contact)
    @staticmethod
    async def end_contact_address(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Contact that the address belongs to."],
        url: Annotated[str, "URL of the address to be removed."],
    ) -> accounts.Contact:
        """Remove an address of a contact in a chat room or browser."""
        return await messages.end_address(ask.tx, contact_id, url=url)

    @mutation(Contact)
    @staticmethod
    async def resubscribe_contact(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Contact who asked for the e-mail."],
        topic: Annotated[str, "Topic of the optional e-mail, such as `reports`."],
    ) -> accounts.Contact:
        """Resume optional e-mail of a topic to a contact, at the request of the contact."""
        return await messages.subscribe(ask.tx, contact_id, topic=topic)
