"""Rows: patterns of shifts, shifts of one guard at one post, and what was attended."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned
from domain.evidence import (
    REPORTED,
    Assessment,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ReasonCode,
)


class ShiftState(StrEnum):
    """How far a shift is, from planned to ended."""

    PLANNED = "planned"
    PUBLISHED = "published"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


class AttendanceKind(StrEnum):
    """What a guard did at a post."""

    CLOCK_IN = "clock_in"
    CLOCK_OUT = "clock_out"


class AttendanceSource(StrEnum):
    """Who says that a guard was there."""

    PHONE = "phone"
    PHONE_INSIDE = "phone_inside"  # with a position inside the geofence of the site
    PHONE_OUTSIDE = "phone_outside"
    DISPATCHER = "dispatcher"
    CORRECTION = "correction"


class RosterStep(StrEnum):
    """What a change of the roster did with its shifts."""

    PLANNED = "planned"
    PUBLISHED = "published"


class ShiftPattern(Base, Owned):
    """Recurring shifts at a post: an RFC 5545 rule about days, with local times of the account's time zone."""

    __tablename__ = "shift_pattern"
    __table_args__ = (
        CheckConstraint("seats BETWEEN 1 AND 100", name="seats_1_to_100"),
        CheckConstraint("user_id IS NULL OR seats = 1", name="one_guard_one_seat"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_starts"),
    )

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"), index=True)
    rule: Mapped[str]
    starts_on: Mapped[date]  # the day from which the rule counts
    ends_on: Mapped[date | None]  # the last day
    local_start: Mapped[time]
    local_end: Mapped[time]  # on the next day unless it is after the start
    seats: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))


class Shift(Base, Owned, Versioned):
    """Planned work of one guard at one post; open while it has no guard.

    An exclusion constraint, which models cannot express, refuses overlapping shifts of one guard.
    """

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("pattern_id", "on_day", "seat"),
        CheckConstraint("until_at > from_at", name="until_after_from"),
        CheckConstraint("ended_at >= started_at", name="ended_after_started"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_at"),
        Index(None, "post_id", "from_at"),
        Index(None, "site_id", "from_at"),
        Index(None, "user_id", "from_at"),
        Index(None, "tenant_id", "from_at"),
        Index(None, "tenant_id", "until_at"),
        Index("ix_shift_due", "tenant_id", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    pattern_id: Mapped[UUID | None] = mapped_column(ForeignKey("shift_pattern.id"))
    on_day: Mapped[date]  # the local day on which it begins
    seat: Mapped[int] = mapped_column(default=1)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    number: Mapped[int | None]  # the client's number of the guard
    state: Mapped[ShiftState] = mapped_column(default=ShiftState.PLANNED)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]  # the clock-in that stands
    ended_at: Mapped[datetime | None]  # the clock-out that stands
    late_at: Mapped[datetime | None]  # found: not there after five minutes
    no_show_at: Mapped[datetime | None]  # found: not there after a quarter of an hour
    left_early_at: Mapped[datetime | None]  # found: left more than five minutes before the end
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    look_at: Mapped[datetime | None]  # when the system looks at it next


class Attendance(Base, Owned):
    """A guard began or ended work at a post, and who says so. A correction replaces it; only its grade may change."""

    __tablename__ = "attendance"
    __table_args__ = (
        Index(
            "uq_attendance_that_stands",
            "shift_id",
            "kind",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
        CheckConstraint("(replaces_id IS NULL) OR (reason IS NOT NULL)", name="correction_reason"),
    )

    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    kind: Mapped[AttendanceKind]
    at: Mapped[datetime]
    source: Mapped[AttendanceSource]
    distance_m: Mapped[int | None]  # from the geofence; negative: inside
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("attendance.id"))
    replaced_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    grade: Mapped[Grade | None]  # None: from before grades
    measured_by: Mapped[EvidenceSource | None]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    proven_from: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    @property
    def reasons(self) -> list[EvidenceReason]:
        """The reasons for the grade."""
        return [
            EvidenceReason(ReasonCode(each["code"]), each["figure"], Grade(each["allows"]))
            for each in self.findings
        ]

    @property
    def assessment(self) -> Assessment:
        """The grade with its reasons; reported where there is none."""
        if self.grade is None:
            return REPORTED
        proven = {Grade(each): datetime.fromisoformat(at) for each, at in self.proven_from.items()}
        source = self.measured_by or EvidenceSource.HAND
        return Assessment(source, self.grade, tuple(self.reasons), proven)

    def keep(self, found: Assessment) -> None:
        """Take over a grade with its reasons."""
        self.grade, self.measured_by = found.grade, found.source
        self.findings = [each.plain() for each in found.reasons]
        self.proven_from = {str(each): at.isoformat() for each, at in found.proven_from.items()}


class RosterChange(Base, Owned):
    """Shifts of one post that were planned or published together."""

    __tablename__ = "roster_change"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"), index=True)
    step: Mapped[RosterStep]
    made_at: Mapped[datetime]
    shift_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), default=list)
    unchanged: Mapped[int] = mapped_column(default=0)  # shifts that were so already
    warnings: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
