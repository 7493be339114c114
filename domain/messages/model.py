"""Rows: messages, attempts to send them, attachments, addresses and unsubscriptions.

One intent produces one message per person.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.accounts.model import Channel
from domain.core.base import Base, Owned


class MessageState(StrEnum):
    """State of the delivery of a message."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    BOUNCED = "bounced"
    FAILED = "failed"


class Urgency(StrEnum):
    """Urgency of a message; a critical message ignores quiet hours."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class AttemptOutcome(StrEnum):
    """Outcome of one attempt to send a message."""

    ACCEPTED = "accepted"  # the next server accepted responsibility
    REFUSED = "refused"  # permanently
    FAILED = "failed"  # temporarily, and certainly not accepted
    UNKNOWN = "unknown"  # handed over without a response, and no way to find out


class Message(Base, Owned):
    """One message about one intent to one person, as it was rendered."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("intent", "contact_id"),
        UniqueConstraint("intent", "user_id"),
        UniqueConstraint("unsubscribe_key"),
        CheckConstraint("num_nonnulls(contact_id, user_id) = 1", name="to_one_person"),
        Index(None, "account_id", "queued_at"),
    )

    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))  # a user of the company
    intent: Mapped[str]  # the subject: "credit:<id>", "incident:<id>"
    template: Mapped[str]
    template_version: Mapped[int]
    language: Mapped[str]
    urgency: Mapped[Urgency] = mapped_column(default=Urgency.NORMAL)
    topic: Mapped[str | None]  # topic of optional mail; null: service mail under the contract
    unsubscribe_key: Mapped[str | None]
    channel: Mapped[Channel]
    recipient: Mapped[str]
    fallbacks: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )  # fallback channels, in order
    subject: Mapped[str]
    body: Mapped[str]
    html: Mapped[str | None]  # null: the HTML is generated from the body
    content_sha256: Mapped[str]
    state: Mapped[MessageState] = mapped_column(default=MessageState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime]
    not_before: Mapped[datetime | None]  # the end of the reader's quiet hours
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    error: Mapped[str | None]


class Attempt(Base, Owned):
    """One attempt to send a message on one channel.

    `handed_over_at` is committed before the last byte is sent: without it, the message was certainly not accepted; with
    it and without an `outcome`, the outcome is unknown.
    """

    __tablename__ = "message_attempt"
    __table_args__ = (UniqueConstraint("message_id", "number"),)

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]
    channel: Mapped[Channel]
    began_at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[AttemptOutcome | None]
    error: Mapped[str | None]


class Enclosure(Base, Owned):
    """A file in a message; with a `content_id` it is an inline image."""

    __tablename__ = "message_enclosure"
    __table_args__ = (UniqueConstraint("message_id", "position"),)

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    position: Mapped[int]
    name: Mapped[str]
    media_type: Mapped[str]
    content_id: Mapped[str | None]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Address(Base, Owned):
    """An address of a contact besides e-mail and telephone: a chat webhook or a browser's push subscription."""

    __tablename__ = "contact_address"
    __table_args__ = (
        UniqueConstraint("contact_id", "url"),
        CheckConstraint("channel IN ('chat', 'push')", name="channel_with_an_address"),
        CheckConstraint("num_nonnulls(p256dh, auth) IN (0, 2)", name="both_keys"),
    )

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    channel: Mapped[Channel]
    url: Mapped[str]
    p256dh: Mapped[str | None]  # the browser's public key, base64url
    auth: Mapped[str | None]  # the browser's secret, base64url
    added_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Unsubscription(Base, Owned):
    """A contact's unsubscription from optional mail of one topic."""

    __tablename__ = "unsubscription"
    __table_args__ = (UniqueConstraint("contact_id", "topic"),)

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    topic: Mapped[str]
    at: Mapped[datetime]
