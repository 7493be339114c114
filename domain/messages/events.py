"""Facts about messages. They name the contact, never the address or the words."""

from typing import ClassVar
from uuid import UUID

from domain.ledger import Fact


class Queued(Fact):
    """A message was written and waits to be sent."""

    kind: ClassVar[str] = "message.queued"
    contact_id: UUID
    intent: str
    template: str


class Sent(Fact):
    """The mail server took it."""

    kind: ClassVar[str] = "message.sent"
    contact_id: UUID
    intent: str


class Failed(Fact):
    """It will not be delivered. What mail servers say names the address, so it is personal."""

    kind: ClassVar[str] = "message.failed"
    personal: ClassVar[frozenset[str]] = frozenset({"error"})
    contact_id: UUID
    intent: str
    error: str
