"""Rows: webhooks, their secrets, and each delivery with its attempts."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Tenanted, Versioned


class WebhookState(StrEnum):
    """State of a webhook: active, paused or disabled."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """State of a webhook delivery: pending, delivered or dead."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Webhook(Base, Tenanted, Versioned):
    """An address that facts are sent to, in the name and with the rights of its owner.

    It follows the ledger by position: facts up to `position` are enqueued as deliveries, later ones are only in the
    ledger. So nothing is lost while it is paused, and a replay moves the position back.
    """

    __tablename__ = "webhook"

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    url: Mapped[str]
    owner: Mapped[str]  # "user:<id>" or "key:<id>", whose rights are read anew at each delivery
    kinds: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    promise_kinds: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    document: Mapped[str | None]
    operation_name: Mapped[str | None]
    variables: Mapped[JSON | None]
    state: Mapped[WebhookState] = mapped_column(default=WebhookState.ACTIVE)
    reason: Mapped[str | None]
    position: Mapped[int]
    round: Mapped[int] = mapped_column(default=1)  # raised by every replay
    failing_since: Mapped[datetime | None]
    not_before: Mapped[datetime | None]  # the receiver requested no deliveries before this time
    created_at: Mapped[datetime]


class WebhookSecret(Base, Tenanted):
    """Encrypted signing secret of deliveries; two are valid during a rotation."""

    __tablename__ = "webhook_secret"

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class WebhookDelivery(Base, Tenanted):
    """One fact for one webhook. The first of its lane (an account's facts, in order) is due, others wait behind it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "fact_id"),
        Index(None, "webhook_id", "seq"),
        Index(
            "ix_webhook_delivery_lane",
            "webhook_id",
            "lane",
            "seq",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_webhook_delivery_due",
            "due_at",
            postgresql_where=text("state = 'pending' AND due_at IS NOT NULL"),
        ),
        Index(
            "ix_webhook_delivery_done",
            "done_at",
            postgresql_where=text("state <> 'pending'"),
        ),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"))
    fact_id: Mapped[int] = mapped_column(ForeignKey("ledger.id"))
    seq: Mapped[int]
    kind: Mapped[str]
    lane: Mapped[UUID]  # the account's id, or the company's for facts of no account
    round: Mapped[int]
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)  # of this round
    queued_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # null: not the first of its lane, or the webhook is not active
    done_at: Mapped[datetime | None]


class WebhookAttempt(Base, Tenanted):
    """HTTP request of a delivery, with its response."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (Index(None, "delivery_id", "at"),)

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    took_ms: Mapped[int]
    status: Mapped[int | None]
    excerpt: Mapped[str | None]
    error: Mapped[str | None]
