"""Rows: messages to contacts and what became of them. One intent reaches one contact once."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.accounts.model import Channel
from domain.base import Base, Owned


class MessageState(StrEnum):
    """How far a message came."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Message(Base, Owned):
    """One message about one intent to one contact, as it was rendered."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("intent", "contact_id"),
        Index(None, "account_id", "queued_at"),
    )

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    intent: Mapped[str]  # what it is about: "credit:<id>", "incident:<id>"
    template: Mapped[str]
    template_version: Mapped[int]
    language: Mapped[str]
    channel: Mapped[Channel]
    recipient: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    content_sha256: Mapped[str]
    state: Mapped[MessageState] = mapped_column(default=MessageState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
