"""Facts about incidents; the promises' clocks are computed from them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.evidence import EvidenceSource, Grade


class Opened(Fact):
    """An incident was opened; its promises start."""

    kind: ClassVar[str] = "incident.opened"
    subject_type: ClassVar[str | None] = "Incident"
    site_id: UUID
    ticket_kind: str
    category: str | None
    priority: str
    service: str | None = None


class OccurrenceStated(Fact):
    """Somebody said when the incident happened, beside when it was told; the last statement counts, null for none."""

    kind: ClassVar[str] = "incident.occurrence_stated"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    occurred_at: datetime | None
    occurred_at_before: datetime | None
    told_at: datetime
    reason: str | None


class DueAgreed(Fact):
    """A date was agreed for this incident."""

    kind: ClassVar[str] = "incident.due_agreed"
    subject_type: ClassVar[str | None] = "Incident"
    due_at: datetime
    priority: str


class Acknowledged(Fact):
    """A person acknowledged the incident."""

    kind: ClassVar[str] = "incident.acknowledged"
    subject_type: ClassVar[str | None] = "Incident"


class WorkStarted(Fact):
    """Somebody started to work on the incident."""

    kind: ClassVar[str] = "incident.work_started"
    subject_type: ClassVar[str | None] = "Incident"


class Arrived(Fact, omit_defaults=True, kw_only=True):
    """Somebody arrived on site; with the grade of the evidence and its reasons.

    `proven_from` holds, for each grade, from when on there is proof of that grade. Facts from before grades have none.
    """

    kind: ClassVar[str] = "incident.arrived"
    subject_type: ClassVar[str | None] = "Incident"
    source: EvidenceSource | None = None
    grade: Grade | None = None
    reasons: list[dict[str, Any]] = []
    proven_from: dict[str, datetime] = {}
    contradicted: bool = False


class ArrivedByFence(Arrived):
    """Somebody arrived on site, proven by a guard's GPS fixes inside the site's geofence."""

    presence_id: UUID
    fixes: list[datetime]


class ArrivalGraded(Fact, kw_only=True):
    """The evidence of an arrival has another grade, because of further fixes; verdicts that depend on it are revised.

    `instant` is the time of the arrival, `presence_id` the stay whose fixes are the evidence.
    """

    kind: ClassVar[str] = "incident.arrival_graded"
    subject_type: ClassVar[str | None] = "Incident"
    presence_id: UUID | None
    instant: datetime
    grade_before: Grade | None
    source: EvidenceSource
    grade: Grade
    reasons: list[dict[str, Any]]
    proven_from: dict[str, datetime]
    contradicted: bool


class LateArrivalOffered(Fact):
    """A device sent late fixes that show its guard on site in time; a person has to decide whether they count."""

    kind: ClassVar[str] = "incident.late_arrival_offered"
    subject_type: ClassVar[str | None] = "Incident"
    presence_id: UUID
    duty_id: UUID
    guard: int
    arrived_at: datetime
    fixes: list[datetime]
    late_s: int  # time between the fixes and their receipt


class LateArrivalAccepted(Fact):
    """A person confirmed that the guard had been on site; the arrival counts."""

    kind: ClassVar[str] = "incident.late_arrival_accepted"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    arrived_at: datetime
    duty_id: UUID
    reason: str


class LateArrivalDeclined(Fact):
    """A person decided that the late arrival does not count."""

    kind: ClassVar[str] = "incident.late_arrival_declined"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    arrived_at: datetime
    duty_id: UUID
    reason: str


class ArrivalWithdrawn(Fact):
    """Late fixes show that the guard was not on site at that time; the arrival at this time does not count."""

    kind: ClassVar[str] = "incident.arrival_withdrawn"
    subject_type: ClassVar[str | None] = "Incident"
    presence_id: UUID


class AcknowledgementWithdrawn(Fact):
    """The acknowledgement at this time does not count, because it came from an arrival that is withdrawn."""

    kind: ClassVar[str] = "incident.acknowledgement_withdrawn"
    subject_type: ClassVar[str | None] = "Incident"


class Updated(Fact):
    """An update was added. Only a client-visible update of the company restarts the next-update clock."""

    kind: ClassVar[str] = "incident.updated"
    subject_type: ClassVar[str | None] = "Incident"
    update_id: UUID
    client_visible: bool
    from_us: bool


class ClocksPaused(Fact):
    """The clocks are paused, for a recorded cause."""

    kind: ClassVar[str] = "incident.paused"
    subject_type: ClassVar[str | None] = "Incident"
    cause: str


class ClocksResumed(Fact):
    """The clocks continue."""

    kind: ClassVar[str] = "incident.resumed"
    subject_type: ClassVar[str | None] = "Incident"


class CalledOff(Fact):
    """The remaining promises are not needed: the incident was called off, or another incident covers it."""

    kind: ClassVar[str] = "incident.called_off"
    subject_type: ClassVar[str | None] = "Incident"
    outcome: str


class ResumedAtAllowance(ClocksResumed):
    """The clocks continue, because the pause allowance of the incident is used up."""

    capped: bool = True


class Resolved(Fact):
    """The problem is solved."""

    kind: ClassVar[str] = "incident.resolved"
    subject_type: ClassVar[str | None] = "Incident"


class Closed(Fact):
    """The incident is closed; nothing more has to be done."""

    kind: ClassVar[str] = "incident.closed"
    subject_type: ClassVar[str | None] = "Incident"


class Reopened(Fact):
    """The incident was reopened, because the problem was not solved; with its outcome and its end until then."""

    kind: ClassVar[str] = "incident.reopened"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    outcome_before: str | None = None
    resolved_at_before: datetime | None = None
    closed_at_before: datetime | None = None


class Prioritised(Fact):
    """The priority changed; promises get the new priority's target from their original start."""

    kind: ClassVar[str] = "incident.prioritised"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    before: str
    priority: str
    reason: str


class Reassigned(Fact):
    """The incident was reassigned to somebody else; `before` is who had it until then, null for nobody."""

    kind: ClassVar[str] = "incident.reassigned"
    subject_type: ClassVar[str | None] = "Incident"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "to"})
    to: str
    before: str | None = None


class Assigned(Fact):
    """The incident is assigned to one of the company's users, or to nobody (`after` is null); hidden from clients."""

    kind: ClassVar[str] = "incident.assigned"
    subject_type: ClassVar[str | None] = "Incident"
    before: UUID | None
    after: UUID | None
    internal: bool = True
