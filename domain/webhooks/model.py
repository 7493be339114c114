"""Rows: where facts are pushed to, the secrets they are signed with, each delivery and each attempt at it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Tenanted, Versioned


class WebhookState(StrEnum):
    """Whether facts are pushed there."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """How far a delivery came."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Webhook(Base, Tenanted, Versioned):
    """An address that is told of facts, in the name and under the rights of its owner.

    It follows the ledger by position: what lies behind `position` has been laid down as deliveries, what lies ahead is
    in the ledger and nowhere else. So nothing is lost while it is paused, and a replay is a step back.
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
    not_before: Mapped[datetime | None]  # its receiver asked to be left alone until then
    created_at: Mapped[datetime]


class WebhookSecret(Base, Tenanted):
    """What deliveries are signed with, encrypted; several hold while one takes over from another."""

    __tablename__ = "webhook_secret"

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class WebhookDelivery(Base, Tenanted):
    """One fact for one webhook. The first of its lane (a client's facts, in order) is due, others wait behind it."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "fact_id"),
        Index(None, "webhook_id", "seq"),
        Index(
            "ix_webhook_delivery_lane", "webhook_id", "lane", "seq",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_webhook_delivery_due", "due_at",
            postgresql_where=text("state = 'pending' AND due_at IS NOT NULL"),
        ),
        Index(
            "ix_webhook_delivery_done", "done_at", postgresql_where=text("state <> 'pending'"),
        ),
    )  # fmt: skip

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
    due_at: Mapped[datetime | None]  # null: it waits in its lane, or its webhook is not active
    done_at: Mapped[datetime | None]


class WebhookAttempt(Base, Tenanted):
    """One request and what came back."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (Index(None, "delivery_id", "at"),)

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_delivery.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    took_ms: Mapped[int]
    status: Mapped[int | None]
    excerpt: Mapped[str | None]
    error: Mapped[str | None]
