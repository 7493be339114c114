"""Rows: batches of events that guard apps send, and each event once."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Tenanted


class PhoneEventKind(StrEnum):
    """Kind of event that a guard app reports."""

    CLOCK_IN = "clock_in"
    CLOCK_OUT = "clock_out"
    SCAN = "scan"
    LOG = "log"
    PANIC = "panic"
    NO_MOVEMENT = "no_movement"


class PhoneBatch(Base, Tenanted):
    """Events that a guard app sent together: each was stored, already known, waits, or was refused."""

    __tablename__ = "phone_batch"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    device: Mapped[str]
    received_at: Mapped[datetime]
    clock_error_ms: Mapped[int]  # our clock minus the phone's
    accepted: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    refused: Mapped[list[JSON]] = mapped_column(JSONB, default=list)


class PhoneEvent(Base, Tenanted):
    """An event of a guard app that was stored; `body` holds one that waits for an earlier one, until that comes."""

    __tablename__ = "phone_event"
    __table_args__ = (
        UniqueConstraint("user_id", "event_key"),
        Index(
            "ix_phone_event_waiting",
            "user_id",
            "happened_at",
            postgresql_where=text("body IS NOT NULL"),
        ),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("phone_batch.id"), index=True)
    event_key: Mapped[str]  # the app's id of it
    kind: Mapped[PhoneEventKind]
    happened_at: Mapped[datetime]  # corrected
    body: Mapped[JSON | None] = mapped_column(JSONB)
