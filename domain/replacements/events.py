"""Facts about replacements. Clients read them: guards are named by the client's number of them; offers are internal."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.evidence import Grade
from domain.shifts import OfGrade


class ReplacementNeeded(Fact):
    """A guard is absent from a shift, by a report or as a no-show; `counts_from_at` is when the promise starts."""

    kind: ClassVar[str] = "replacement.needed"
    subject_type: ClassVar[str | None] = "Replacement"
    shift_id: UUID
    post_id: UUID
    site_id: UUID
    guard: int | None
    cause: str
    from_at: datetime
    until_at: datetime
    counts_from_at: datetime


class ReplacementFound(Fact):
    """Another guard has the shift, by an offer or by hand; `arrives_at` is expected, none where it is unknown."""

    kind: ClassVar[str] = "replacement.found"
    subject_type: ClassVar[str | None] = "Replacement"
    guard: int | None
    arrives_at: datetime | None
    by_offer: bool


class ReplacementLost(Fact):
    """The guard who was found does not come; another one is sought."""

    kind: ClassVar[str] = "replacement.lost"
    subject_type: ClassVar[str | None] = "Replacement"
    guard: int | None


class ReplacementOnTheWay(Fact):
    """The replacing guard is on the way, and is expected at `arrives_at`; none where it is unknown."""

    kind: ClassVar[str] = "replacement.on_the_way"
    subject_type: ClassVar[str | None] = "Replacement"
    guard: int | None
    arrives_at_before: datetime | None
    arrives_at: datetime | None


class ReplacementArrived(OfGrade):
    """A guard clocked in at the post, at the time of the fact or before the clock of the promise started."""

    kind: ClassVar[str] = "replacement.arrived"
    subject_type: ClassVar[str | None] = "Replacement"
    attendance_id: UUID
    guard: int | None
    clocked_in_at: datetime


class ReplacementGraded(OfGrade):
    """The arrival at `instant` has another grade, by evidence that came in later."""

    kind: ClassVar[str] = "replacement.arrival_graded"
    subject_type: ClassVar[str | None] = "Replacement"
    attendance_id: UUID
    instant: datetime
    grade_before: Grade | None


class ReplacementArrivalWithdrawn(Fact):
    """An arrival no longer stands, because the clock-in was corrected; `just_before` is a microsecond before it."""

    kind: ClassVar[str] = "replacement.arrival_withdrawn"
    subject_type: ClassVar[str | None] = "Replacement"
    was_at: datetime
    just_before: datetime


class ReplacementReassessed(Fact):
    """The clock of a replacement goes on from the arrival that was withdrawn."""

    kind: ClassVar[str] = "replacement.reassessed"
    subject_type: ClassVar[str | None] = "Replacement"
    was_at: datetime


class ReplacementUnfilled(Fact):
    """The shift is over, and nobody came."""

    kind: ClassVar[str] = "replacement.unfilled"
    subject_type: ClassVar[str | None] = "Replacement"


class ReplacementWithdrawn(Fact):
    """No replacement is needed: the shift was cancelled, or the guard was there by a correction; as of `as_of`."""

    kind: ClassVar[str] = "replacement.withdrawn"
    subject_type: ClassVar[str | None] = "Replacement"
    as_of: datetime


class ReplacementTakenOver(Fact):
    """A dispatcher seeks by hand: open offers were closed, and no more are made."""

    kind: ClassVar[str] = "replacement.taken_over"
    subject_type: ClassVar[str | None] = "Replacement"
    closed: int
    internal: bool = True


class ReplacementResumed(Fact):
    """Offers are made by the system again."""

    kind: ClassVar[str] = "replacement.resumed"
    subject_type: ClassVar[str | None] = "Replacement"
    by_hand_since_before: datetime
    internal: bool = True


class ShiftOffered(Fact):
    """A shift was offered to a guard, in a wave of offers."""

    kind: ClassVar[str] = "shift_offer.made"
    subject_type: ClassVar[str | None] = "ShiftOffer"
    user_id: UUID
    wave: int
    internal: bool = True


class ShiftOfferAccepted(Fact):
    """A guard took the shift."""

    kind: ClassVar[str] = "shift_offer.accepted"
    subject_type: ClassVar[str | None] = "ShiftOffer"
    user_id: UUID
    internal: bool = True


class ShiftOfferDeclined(Fact):
    """A guard does not take the shift."""

    kind: ClassVar[str] = "shift_offer.declined"
    subject_type: ClassVar[str | None] = "ShiftOffer"
    user_id: UUID
    internal: bool = True
