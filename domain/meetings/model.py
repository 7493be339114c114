"""Rows: meetings with clients, and who is invited to them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class MeetingState(StrEnum):
    """State of a meeting, by what happened to it."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


class AttendeeResponse(StrEnum):
    """What somebody answered to an invitation; the values are those of iCalendar, in lower case."""

    AWAITED = "needs-action"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


class Meeting(Base, Owned, Versioned):
    """A meeting of people of the company with people of a client."""

    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("agenda_sent_at IS NULL OR agenda IS NOT NULL", name="agenda_is_written"),
        CheckConstraint("cancelled_at IS NULL OR held_at IS NULL", name="held_or_cancelled"),
        CheckConstraint(
            "num_nonnulls(cancelled_at, cancelled_by_client, cancel_reason) IN (0, 3)",
            name="cancellation_is_whole",
        ),
        CheckConstraint(
            "(summary_sent_at IS NULL) = (next_meeting_on IS NULL)", name="summary_is_whole"
        ),
        Index(None, "account_id", "starts_at"),
    )

    title: Mapped[str]
    place: Mapped[str | None]
    time_zone: Mapped[str]  # in which invitations state its times
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    whole_day: Mapped[bool] = mapped_column(default=False)  # both are midnights of the time zone
    organiser_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    touchpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("touchpoint.id"))
    planned_at: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(default=0)  # of iCalendar: how often it was changed
    agenda: Mapped[str | None]
    agenda_sent_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    notes: Mapped[str | None]
    open_questions: Mapped[str | None]  # one a line
    next_meeting_on: Mapped[date | None]
    summary_sent_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_client: Mapped[bool | None]
    cancel_reason: Mapped[str | None]

    @property
    def state(self) -> MeetingState:
        """The state, by what happened to it."""
        if self.cancelled_at is not None:
            return MeetingState.CANCELLED
        return MeetingState.PLANNED if self.held_at is None else MeetingState.HELD


class MeetingAttendee(Base, Owned):
    """Somebody invited to a meeting: a contact of the client, or a user of the company."""

    __tablename__ = "meeting_attendee"
    __table_args__ = (
        UniqueConstraint("meeting_id", "contact_id"),
        UniqueConstraint("meeting_id", "user_id"),
        CheckConstraint("num_nonnulls(contact_id, user_id) = 1", name="one_person"),
    )

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    response: Mapped[AttendeeResponse] = mapped_column(default=AttendeeResponse.AWAITED)
    responded_at: Mapped[datetime | None]
    attended: Mapped[bool | None]
