"""Rows: replacements of absent guards, and the offers of their shifts to others."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned
from domain.evidence import Grade


class ReplacementState(StrEnum):
    """How far the replacement of an absent guard is."""

    SOUGHT = "sought"
    FOUND = "found"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    UNFILLED = "unfilled"
    WITHDRAWN = "withdrawn"


class AbsenceCause(StrEnum):
    """How an absence became known. Why a guard is absent is not kept."""

    REPORTED = "reported"
    NO_SHOW = "no_show"


class OfferState(StrEnum):
    """State of the offer of a shift to one guard."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLOSED = "closed"


SEEKING = (ReplacementState.SOUGHT, ReplacementState.FOUND, ReplacementState.ON_THE_WAY)
"""States before a guard arrived, or the shift was over."""


class Replacement(Base, Owned, Versioned):
    """A guard is absent from a published shift, and another one has to come. A shift has one at most that stands."""

    __tablename__ = "replacement"
    __table_args__ = (
        CheckConstraint("(state = 'arrived') = (arrived_at IS NOT NULL)", name="arrived_at"),
        CheckConstraint("(state = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_at"),
        Index(
            "uq_replacement_that_stands",
            "shift_id",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
        Index(None, "site_id", "known_at"),
        Index(
            "ix_replacement_due",
            "tenant_id",
            "look_at",
            postgresql_where=text("look_at IS NOT NULL"),
        ),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    cause: Mapped[AbsenceCause]
    state: Mapped[ReplacementState] = mapped_column(default=ReplacementState.SOUGHT)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)  # absent
    number: Mapped[int | None]  # the client's number of the absent guard
    known_at: Mapped[datetime]
    counts_from_at: Mapped[datetime]  # when the clock of the promise starts
    replacing_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"), index=True)
    replacing_number: Mapped[int | None]
    found_at: Mapped[datetime | None]
    on_the_way_at: Mapped[datetime | None]
    arrives_at: Mapped[datetime | None]  # as computed, or as the guard says
    arrived_at: Mapped[datetime | None]  # the clock-in that stands
    arrival_grade: Mapped[Grade | None]
    reassessed_at: Mapped[datetime | None]  # the latest clock-in that a correction replaced
    withdrawn_at: Mapped[datetime | None]
    by_hand_since: Mapped[datetime | None]  # a dispatcher took over: no more offers
    wave: Mapped[int] = mapped_column(default=0)  # number of waves of offers so far
    look_at: Mapped[datetime | None]  # when the system looks at it next


class ShiftOffer(Base, Owned):
    """The shift of an absent guard, offered to another guard; it keeps what was offered."""

    __tablename__ = "shift_offer"
    __table_args__ = (
        UniqueConstraint("replacement_id", "user_id"),
        Index(
            "uq_shift_offer_accepted",
            "replacement_id",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_at"),
        Index(None, "user_id", "offered_at"),
    )

    replacement_id: Mapped[UUID] = mapped_column(ForeignKey("replacement.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    state: Mapped[OfferState] = mapped_column(default=OfferState.OPEN)
    wave: Mapped[int]
    offered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    site_name: Mapped[str]
    post_name: Mapped[str]
    travel_minutes: Mapped[int | None]
