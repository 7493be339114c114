"""Rows: welfare checks of guards who work alone, and the signs that one of them is in distress."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class DistressCause(StrEnum):
    """What says that a guard may be in distress."""

    PANIC = "panic"
    NO_MOVEMENT = "no_movement"
    MISSED_CHECK = "missed_check"


class WelfareWatch(Base, Owned, Versioned):
    """Welfare checks during one shift: the guard confirms to be well before each is due."""

    __tablename__ = "welfare_watch"
    __table_args__ = (
        CheckConstraint("every_s > 0 AND grace_s >= 0", name="periods"),
        CheckConstraint("ended_at IS NULL OR look_at IS NULL", name="ended_is_not_watched"),
        Index(
            "ix_welfare_watch_due",
            "tenant_id",
            "look_at",
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"), unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    number: Mapped[int]  # the client's number of the guard
    every_s: Mapped[int]
    grace_s: Mapped[int]
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]  # when the guard confirms at the latest
    look_at: Mapped[datetime | None]  # when the check counts as missed; None: missed, or ended
    ended_at: Mapped[datetime | None]


class DistressSign(Base, Owned):
    """A sign that a guard may be in distress; all signs of one emergency share its incident.

    The position is kept while the incident lasts, and deleted with its end.
    """

    __tablename__ = "distress_sign"
    __table_args__ = (
        UniqueConstraint("shift_id", "cause", "event_key"),
        CheckConstraint("(lat IS NULL) = (lon IS NULL)", name="position_is_whole"),
        CheckConstraint("ended_at IS NULL OR lat IS NULL", name="position_ends"),
        Index("ix_distress_sign_open", "shift_id", postgresql_where=text("ended_at IS NULL")),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    number: Mapped[int | None]
    cause: Mapped[DistressCause]
    event_key: Mapped[str]  # the app's id of the event, or when the check was due
    happened_at: Mapped[datetime]
    told_at: Mapped[datetime]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    position_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]  # the guard said that it was nothing
    ended_at: Mapped[datetime | None]  # the incident was resolved
