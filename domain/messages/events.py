"""Facts about messages. They name the reader, never the address or the text.

Those about messages to colleagues are `internal`: clients do not see them.
"""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class OfMessage(Fact):
    """Base of facts about a message; `contact_id` is None for a message to a colleague."""

    subject_type: ClassVar[str | None] = "Message"
    contact_id: UUID | None
    intent: str
    internal: bool


class Queued(OfMessage):
    """A message was composed and waits to be sent."""

    kind: ClassVar[str] = "message.queued"
    template: str


class Sent(OfMessage):
    """The next server accepted the message."""

    kind: ClassVar[str] = "message.sent"
    channel: str


class Failed(OfMessage):
    """The message will not be delivered. Error texts of mail servers name the address, so they are personal."""

    kind: ClassVar[str] = "message.failed"
    personal: ClassVar[frozenset[str]] = frozenset({"error"})
    error: str


class MessageDelivered(OfMessage):
    """The message reached its reader's mailbox or device."""

    kind: ClassVar[str] = "message.delivered"


class MessageRead(OfMessage):
    """The recipient's side confirmed that the message was read."""

    kind: ClassVar[str] = "message.read"


class Bounced(OfMessage):
    """The message bounced, with the cause (`verdict`); the next channel is used if there is one (`again_by`)."""

    kind: ClassVar[str] = "message.bounced"
    personal: ClassVar[frozenset[str]] = frozenset({"error"})
    error: str
    again_by: str | None
    verdict: str | None = None


class Unsubscribed(Fact):
    """A contact unsubscribed from optional mail of a topic; about the contact."""

    kind: ClassVar[str] = "contact.unsubscribed"
    subject_type: ClassVar[str | None] = "Contact"
    topic: str


class Subscribed(Fact):
    """A contact subscribed again to optional mail of a topic; about the contact."""

    kind: ClassVar[str] = "contact.subscribed"
    subject_type: ClassVar[str | None] = "Contact"
    topic: str


class AddressAdded(Fact):
    """A contact got one more address; about the contact."""

    kind: ClassVar[str] = "contact.address_added"
    subject_type: ClassVar[str | None] = "Contact"
    channel: str


class AddressEnded(Fact):
    """An address of a contact was removed; about the contact."""

    kind: ClassVar[str] = "contact.address_ended"
    subject_type: ClassVar[str | None] = "Contact"
    channel: str


class Suppressed(Fact):
    """The address is suppressed, because a message bounced hard. About the contact or colleague."""

    kind: ClassVar[str] = "address.suppressed"
    subject_type: ClassVar[str | None] = None
    personal: ClassVar[frozenset[str]] = frozenset({"address", "error"})
    message_id: UUID
    address: str
    error: str
    internal: bool


class Freed(Fact):
    """A suppressed address was corrected and can be used. About the contact or colleague."""

    kind: ClassVar[str] = "address.freed"
    subject_type: ClassVar[str | None] = None
    personal: ClassVar[frozenset[str]] = frozenset({"address"})
    address: str
    internal: bool
