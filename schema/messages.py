"""Messages to contacts, and what became of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, messages
from domain.accounts import Channel
from domain.messages.model import Attempt as AttemptModel
from domain.messages.model import AttemptOutcome, MessageState, Urgency
from domain.messages.model import Message as MessageModel
from schema.accounts import Account, Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import ContactId, GlobalIdOf, MutationContext, mutation
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    MessageState, "MessageState",
    queued="Waiting to be sent.", sending="Being sent.", sent="Taken over by the next server.",
    delivered="Where its reader looks, as a server said.", read="Opened, as its reader said.",
    bounced="Come back.", failed="Given up.",
)  # fmt: skip
enum(
    Urgency, "Urgency",
    low="Whenever it suits.", normal="The same day.", high="Soon.",
    critical="At once, also in quiet hours.",
)  # fmt: skip
enum(
    AttemptOutcome, "MessageOutcome",
    accepted="The next server took it.", refused="This channel will never take it.",
    failed="Not taken, this time.", unknown="Handed over without an answer, and nobody to ask.",
)  # fmt: skip

Row = strawberry.Parent[MessageModel]
MessageId = Annotated[UUID, GlobalIdOf("Message")]


@from_row(AttemptModel)
class MessageAttempt:
    """One try to send a message by one channel."""

    number: Annotated[int, "The how-manieth."]
    channel: Annotated[Channel, "How it went."]
    began_at: Annotated[datetime, "When."]
    handed_over_at: Annotated[datetime | None, "When its last byte was about to leave."]
    ended_at: Annotated[datetime | None, "When its outcome was known."]
    outcome: Annotated[AttemptOutcome | None, "What became of it; null: not known yet."]
    error: Annotated[str | None, "What went wrong.", RESTRICTED]


@from_row(MessageModel)
class Message(Node):
    """One message about one intent to one contact, as it was rendered."""

    intent: Annotated[str, "What it is about, such as `credit:…`; one contact hears of it once."]
    template: Annotated[str, "Which text."]
    template_version: Annotated[int, "Which version of the text."]
    language: Annotated[str, "`nl` or `en`."]
    urgency: Annotated[Urgency, "How soon somebody has to know."]
    topic: Annotated[str | None, "Of mail that nobody has to take, such as `reports`."]
    channel: Annotated[Channel, "How it goes."]
    recipient: Annotated[str, "Where it goes."]
    subject: Annotated[str, "Its subject line."]
    body: Annotated[str, "Its text."]
    state: Annotated[MessageState, "How far it came."]
    attempts: Annotated[int, "How often it was tried.", RESTRICTED]
    queued_at: Annotated[datetime, "When it was written."]
    not_before: Annotated[datetime | None, "The end of the reader's quiet hours it fell into."]
    sent_at: Annotated[datetime | None, "When it left."]
    delivered_at: Annotated[datetime | None, "When it was where its reader looks."]
    read_at: Annotated[datetime | None, "When its reader opened it."]
    bounced_at: Annotated[datetime | None, "When it came back."]
    error: Annotated[str | None, "Why it did not leave.", RESTRICTED]

    @resolver(list[MessageAttempt])
    @staticmethod
    async def log(row: Row, info: Info) -> list[AttemptModel]:
        """Every try to send it, oldest first."""
        return await info.context.loaders.attempts_of_message.load(row.id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: Row, info: Info) -> accounts.Contact | None:
        """The person it is to; null when it is to a colleague."""
        if row.contact_id is None:
            return None
        return await info.context.loaders.contact.load(row.contact_id)


@strawberry.type(description="What people want to hear and where.")
class MessageMutation:
    """What people want to hear and where."""

    @mutation(Message)
    @staticmethod
    async def read_message(
        ask: MutationContext, id: Annotated[MessageId, "Which one."]
    ) -> MessageModel:
        """Say that its reader opened a message that left."""
        return await messages.mark_read(ask.session, ask.actor, id, at=ask.at)

    @mutation(Contact)
    @staticmethod
    async def add_contact_address(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Whose."],
        channel: Annotated[Channel, "`CHAT` or `PUSH`."],
        url: Annotated[str, "The room's hook, or the subscription's `endpoint`."],
        p256dh: Annotated[str | None, "The subscription's key of this name."] = None,
        auth: Annotated[str | None, "The subscription's key of this name."] = None,
    ) -> accounts.Contact:
        """Reach a contact in a chat room or a browser, too."""
        return await messages.add_address(
            ask.session, ask.actor, contact_id, channel=channel, url=url, p256dh=p256dh,
            auth=auth, at=ask.at,
        )  # fmt: skip

    @mutation(Contact)
    @staticmethod
    async def end_contact_address(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Whose."],
        url: Annotated[str, "Which address."],
    ) -> accounts.Contact:
        """Reach a contact there no more."""
        return await messages.end_address(ask.session, ask.actor, contact_id, url=url, at=ask.at)

    @mutation(Contact)
    @staticmethod
    async def resubscribe_contact(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Whom."],
        topic: Annotated[str, "Of the mail, such as `reports`."],
    ) -> accounts.Contact:
        """Send a contact optional mail of a topic again, because the contact asked for it."""
        return await messages.subscribe(ask.session, ask.actor, contact_id, topic=topic, at=ask.at)
