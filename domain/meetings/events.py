"""Facts about meetings. What people wrote stays in the row."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class OfMeeting(Fact):
    """A fact about a meeting."""

    subject_type: ClassVar[str | None] = "Meeting"


class MeetingPlanned(OfMeeting):
    """A meeting was planned, and these contacts and users of the company are invited."""

    kind: ClassVar[str] = "meeting.planned"
    starts_at: datetime
    ends_at: datetime
    contact_ids: list[UUID]
    user_ids: list[UUID]


class MeetingRescheduled(OfMeeting):
    """A meeting has another time or place; `sequence` is the number of its changes."""

    kind: ClassVar[str] = "meeting.rescheduled"
    starts_at: datetime
    starts_at_before: datetime
    ends_at: datetime
    ends_at_before: datetime
    place: str | None
    place_before: str | None
    sequence: int
    sequence_before: int


class MeetingInvited(OfMeeting):
    """Further people are invited to a meeting."""

    kind: ClassVar[str] = "meeting.invited"
    contact_ids: list[UUID]
    user_ids: list[UUID]


class MeetingAnswered(OfMeeting):
    """Somebody accepted or declined an invitation, or said perhaps; `before` is the answer until then."""

    kind: ClassVar[str] = "meeting.answered"
    contact_id: UUID | None
    user_id: UUID | None
    before: str
    after: str


class AgendaSent(OfMeeting):
    """The agenda of a meeting was sent; `before_s` is how many seconds before its beginning."""

    kind: ClassVar[str] = "meeting.agenda_sent"
    before_s: int


class MeetingHeld(OfMeeting):
    """A meeting took place: how many people of the client were invited and attended, and who attended."""

    kind: ClassVar[str] = "meeting.held"
    invited: int
    attended: int
    contact_ids: list[UUID]
    user_ids: list[UUID]


class MeetingSummarised(OfMeeting):
    """The summary of a meeting was sent; the decisions and action items have facts of their own."""

    kind: ClassVar[str] = "meeting.summarised"
    decisions: int
    action_items: int
    open_questions: int
    next_meeting_on: date


class MeetingCancelled(OfMeeting):
    """A meeting was cancelled before it took place; `by_client` says by whom, the row has the reason."""

    kind: ClassVar[str] = "meeting.cancelled"
    by_client: bool
