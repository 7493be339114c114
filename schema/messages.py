"""Messages to contacts, and what became of them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts
from domain.accounts import Channel
from domain.messages.model import Message as MessageModel
from domain.messages.model import MessageState, Urgency
from schema.accounts import Account, Contact
from schema.context import Info
from schema.ids import Node
from schema.thin import STAFF, answers, names, shows

names(
    MessageState, "MessageState",
    queued="Waiting to be sent.", sending="Being sent.", sent="Taken over by the next server.",
    delivered="Where its reader looks, as a server said.", read="Opened, as its reader said.",
    bounced="Come back.", failed="Given up.",
)  # fmt: skip
names(
    Urgency, "Urgency",
    low="Whenever it suits.", normal="The same day.", high="Soon.",
    critical="At once, also in quiet hours.",
)  # fmt: skip

Row = strawberry.Parent[MessageModel]


@shows(MessageModel)
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
    attempts: Annotated[int, "How often it was tried.", STAFF]
    queued_at: Annotated[datetime, "When it was written."]
    not_before: Annotated[datetime | None, "The end of the reader's quiet hours it fell into."]
    sent_at: Annotated[datetime | None, "When it left."]
    delivered_at: Annotated[datetime | None, "When it was where its reader looks."]
    read_at: Annotated[datetime | None, "When its reader opened it."]
    bounced_at: Annotated[datetime | None, "When it came back."]
    error: Annotated[str | None, "Why it did not leave.", STAFF]

    @answers(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @answers(Contact | None)
    @staticmethod
    async def contact(row: Row, info: Info) -> accounts.Contact | None:
        """The person it is to; null when it is to a colleague."""
        if row.contact_id is None:
            return None
        return await info.context.loaders.contact.load(row.contact_id)
