"""Messages to contacts, and what became of them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts
from domain.accounts import Channel
from domain.messages.model import Message as MessageModel
from domain.messages.model import MessageState
from schema.accounts import Account, Contact
from schema.context import Info
from schema.ids import Node
from schema.thin import STAFF, answers, names, shows

names(
    MessageState, "MessageState",
    queued="Waiting to be sent.", sending="Being sent.", sent="Taken over by the next server.",
    failed="Given up.",
)  # fmt: skip

Row = strawberry.Parent[MessageModel]


@shows(MessageModel)
class Message(Node):
    """One message about one intent to one contact, as it was rendered."""

    intent: Annotated[str, "What it is about, such as `credit:…`; one contact hears of it once."]
    template: Annotated[str, "Which text."]
    template_version: Annotated[int, "Which version of the text."]
    language: Annotated[str, "`nl` or `en`."]
    channel: Annotated[Channel, "How it goes."]
    recipient: Annotated[str, "Where it goes."]
    subject: Annotated[str, "Its subject line."]
    body: Annotated[str, "Its text."]
    state: Annotated[MessageState, "How far it came."]
    attempts: Annotated[int, "How often it was tried.", STAFF]
    queued_at: Annotated[datetime, "When it was written."]
    sent_at: Annotated[datetime | None, "When it left."]
    error: Annotated[str | None, "Why it did not leave.", STAFF]

    @answers(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @answers(Contact | None)
    @staticmethod
    async def contact(row: Row, info: Info) -> accounts.Contact | None:
        """The person it is to."""
        return await info.context.loaders.contact.load(row.contact_id)
