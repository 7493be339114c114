"""Facts about messages. They name the reader, never the address or the words.

Those about messages to colleagues are `internal`: clients do not see them.
"""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class OfMessage(Fact):
    """Something happened to a message; `contact_id` is None when it is to a colleague."""

    contact_id: UUID | None
    intent: str
    internal: bool


class Queued(OfMessage):
    """A message was written and waits to be sent."""

    kind: ClassVar[str] = "message.queued"
    template: str


class Sent(OfMessage):
    """The next server took it."""

    kind: ClassVar[str] = "message.sent"
    channel: str


class Failed(OfMessage):
    """It will not be delivered. What mail servers say names the address, so it is personal."""

    kind: ClassVar[str] = "message.failed"
    personal: ClassVar[frozenset[str]] = frozenset({"error"})
    error: str


class MessageDelivered(OfMessage):
    """It is where its reader looks."""

    kind: ClassVar[str] = "message.delivered"


class MessageRead(OfMessage):
    """Its reader opened it, and said so."""

    kind: ClassVar[str] = "message.read"


class Bounced(OfMessage):
    """It came back, and why (`verdict`); another channel takes its place if there is one (`again_by`)."""

    kind: ClassVar[str] = "message.bounced"
    personal: ClassVar[frozenset[str]] = frozenset({"error"})
    error: str
    again_by: str | None
    verdict: str | None = None


class Unsubscribed(Fact):
    """A contact wants no more optional mail of a topic; about the contact."""

    kind: ClassVar[str] = "contact.unsubscribed"
    topic: str


class Subscribed(Fact):
    """A contact wants optional mail of a topic again; about the contact."""

    kind: ClassVar[str] = "contact.subscribed"
    topic: str


class AddressAdded(Fact):
    """A contact is reached at one more address; about the contact."""

    kind: ClassVar[str] = "contact.address_added"
    channel: str


class AddressEnded(Fact):
    """A contact is reached at an address no more; about the contact."""

    kind: ClassVar[str] = "contact.address_ended"
    channel: str


class Suppressed(Fact):
    """A letter came back because nobody is at the address: no more letters go there. About the contact or colleague."""

    kind: ClassVar[str] = "address.suppressed"
    personal: ClassVar[frozenset[str]] = frozenset({"address", "error"})
    message_id: UUID
    address: str
    error: str
    internal: bool


class Freed(Fact):
    """Somebody put an address right: letters go there again. About the contact or colleague."""

    kind: ClassVar[str] = "address.freed"
    personal: ClassVar[frozenset[str]] = frozenset({"address"})
    address: str
    internal: bool
