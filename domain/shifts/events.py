"""Facts about shifts. Clients read those of published shifts: guards are named by the client's number of them."""

from datetime import date, datetime, time
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.evidence import EvidenceSource, Grade


class ShiftPatternAdded(Fact):
    """A post has another pattern of recurring shifts."""

    kind: ClassVar[str] = "shift_pattern.added"
    subject_type: ClassVar[str | None] = "ShiftPattern"
    post_id: UUID
    rule: str
    starts_on: date
    ends_on: date | None
    local_start: time
    local_end: time
    seats: int
    internal: bool = True


class ShiftPatternEnded(Fact):
    """A pattern has another last day; shifts that are planned already stay."""

    kind: ClassVar[str] = "shift_pattern.ended"
    subject_type: ClassVar[str | None] = "ShiftPattern"
    before: date | None
    after: date | None
    internal: bool = True


class ShiftPlanned(Fact):
    """A shift was planned; clients do not see it before it is published."""

    kind: ClassVar[str] = "shift.planned"
    subject_type: ClassVar[str | None] = "Shift"
    post_id: UUID
    site_id: UUID
    guard: int | None
    from_at: datetime
    until_at: datetime
    internal: bool = True


class ShiftPublished(Fact):
    """A shift was published to its guard and the client; its promises begin."""

    kind: ClassVar[str] = "shift.published"
    subject_type: ClassVar[str | None] = "Shift"
    post_id: UUID
    site_id: UUID
    guard: int | None
    from_at: datetime
    until_at: datetime


class ShiftAssigned(Fact):
    """A shift has another guard, or none; `internal` before it is published."""

    kind: ClassVar[str] = "shift.assigned"
    subject_type: ClassVar[str | None] = "Shift"
    before: int | None
    after: int | None
    internal: bool


class ShiftConfirmed(Fact):
    """The guard of a shift confirmed it, or the office in the guard's name."""

    kind: ClassVar[str] = "shift.confirmed"
    subject_type: ClassVar[str | None] = "Shift"
    guard: int | None


class ShiftCancelled(Fact):
    """A shift was cancelled before it began; `internal` when it was never published."""

    kind: ClassVar[str] = "shift.cancelled"
    subject_type: ClassVar[str | None] = "Shift"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    internal: bool


class OfGrade(Fact):
    """Base of facts that state how well an instant is proven; reasons without the place of the guard."""

    grade: Grade
    measured_by: EvidenceSource
    reasons: list[dict[str, Any]]
    proven_from: dict[str, datetime]
    contradicted: bool


class ClockedIn(OfGrade):
    """A guard began work on a shift, at the time of the fact."""

    kind: ClassVar[str] = "shift.clocked_in"
    subject_type: ClassVar[str | None] = "Shift"
    attendance_id: UUID
    guard: int | None
    source: str


class ClockedOut(OfGrade):
    """A guard ended work on a shift, at the time of the fact."""

    kind: ClassVar[str] = "shift.clocked_out"
    subject_type: ClassVar[str | None] = "Shift"
    attendance_id: UUID
    guard: int | None
    source: str


class StartWithdrawn(Fact):
    """A clock-in no longer stands, because it is corrected; `just_before` is a microsecond before it."""

    kind: ClassVar[str] = "shift.start_withdrawn"
    subject_type: ClassVar[str | None] = "Shift"
    attendance_id: UUID
    was_at: datetime
    just_before: datetime


class StartGraded(OfGrade):
    """The clock-in at `instant` has another grade, by positions of the guard's device that came in later."""

    kind: ClassVar[str] = "shift.start_graded"
    subject_type: ClassVar[str | None] = "Shift"
    attendance_id: UUID
    instant: datetime
    grade_before: Grade


class EndWithdrawn(Fact):
    """A clock-out no longer stands, because it is corrected."""

    kind: ClassVar[str] = "shift.end_withdrawn"
    subject_type: ClassVar[str | None] = "Shift"
    attendance_id: UUID
    was_at: datetime


class AttendanceCorrected(Fact):
    """A clock-in or clock-out was corrected with a reason; `before` is none where one was missing."""

    kind: ClassVar[str] = "shift.attendance_corrected"
    subject_type: ClassVar[str | None] = "Shift"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    attendance_id: UUID
    attendance_kind: str
    before: datetime | None
    after: datetime
    reason: str
    of_start: bool
    """Whether a clock-in that stood was corrected."""


class ShiftLate(Fact):
    """The guard of a shift was not there five minutes after its beginning."""

    kind: ClassVar[str] = "shift.late"
    subject_type: ClassVar[str | None] = "Shift"
    guard: int | None


class NoShow(Fact):
    """The guard of a shift was not there a quarter of an hour after its beginning."""

    kind: ClassVar[str] = "shift.no_show"
    subject_type: ClassVar[str | None] = "Shift"
    guard: int | None


class LeftEarly(Fact):
    """The guard of a shift left more than five minutes before its end."""

    kind: ClassVar[str] = "shift.left_early"
    subject_type: ClassVar[str | None] = "Shift"
    guard: int | None


class FindingWithdrawn(Fact):
    """A late start, no-show or early leave was not so, by a later clock-in or a correction."""

    kind: ClassVar[str] = "shift.finding_withdrawn"
    subject_type: ClassVar[str | None] = "Shift"
    finding: str
    was_at: datetime


class ShiftEnded(Fact):
    """A shift is over; without `ended_at` nobody clocked out."""

    kind: ClassVar[str] = "shift.ended"
    subject_type: ClassVar[str | None] = "Shift"
    guard: int | None
    started_at: datetime | None
    ended_at: datetime | None
