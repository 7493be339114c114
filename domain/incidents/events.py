"""Facts about tickets; the promises' clocks read them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Opened(Fact):
    """A ticket was opened; its promises start."""

    kind: ClassVar[str] = "incident.opened"
    site_id: UUID
    ticket_kind: str
    category: str | None
    priority: str


class DueAgreed(Fact):
    """A date was agreed for this very ticket."""

    kind: ClassVar[str] = "incident.due_agreed"
    due_at: datetime
    priority: str


class Acknowledged(Fact):
    """A person took it up."""

    kind: ClassVar[str] = "incident.acknowledged"


class WorkStarted(Fact):
    """Somebody is working on it."""

    kind: ClassVar[str] = "incident.work_started"


class Arrived(Fact):
    """Somebody is on site."""

    kind: ClassVar[str] = "incident.arrived"


class ArrivedByFence(Arrived):
    """The same, proven by a guard's fixes inside the site's fence."""

    presence_id: UUID
    fixes: list[datetime]


class LateArrivalOffered(Fact):
    """A device handed in late that its guard had been on site in time; somebody has to decide whether that counts."""

    kind: ClassVar[str] = "incident.late_arrival_offered"
    presence_id: UUID
    duty_id: UUID
    guard: int
    arrived_at: datetime
    fixes: list[datetime]
    late_s: int  # how long after they were made the fixes came in


class LateArrivalAccepted(Fact):
    """A person confirmed that the guard had been on site; the arrival counts."""

    kind: ClassVar[str] = "incident.late_arrival_accepted"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    arrived_at: datetime
    duty_id: UUID
    reason: str


class LateArrivalDeclined(Fact):
    """A person decided that it does not count."""

    kind: ClassVar[str] = "incident.late_arrival_declined"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    arrived_at: datetime
    duty_id: UUID
    reason: str


class ArrivalWithdrawn(Fact):
    """Late fixes show that the guard had not come by then; it is as if that arrival, at this instant, never was."""

    kind: ClassVar[str] = "incident.arrival_withdrawn"
    presence_id: UUID


class AcknowledgementWithdrawn(Fact):
    """Nobody took it up at this instant: what said so was an arrival that is withdrawn."""

    kind: ClassVar[str] = "incident.acknowledgement_withdrawn"


class Updated(Fact):
    """Something was said. Only what is visible to the client and comes from us is an update to the clock."""

    kind: ClassVar[str] = "incident.updated"
    update_id: UUID
    client_visible: bool
    from_us: bool


class ClocksPaused(Fact):
    """The clocks are held, for a recorded cause."""

    kind: ClassVar[str] = "incident.paused"
    cause: str


class ClocksResumed(Fact):
    """The clocks run again."""

    kind: ClassVar[str] = "incident.resumed"


class CalledOff(Fact):
    """Nothing more of what was promised is needed: it was called off, or another incident covers it."""

    kind: ClassVar[str] = "incident.called_off"
    outcome: str


class ResumedAtAllowance(ClocksResumed):
    """The same, because the pauses of the incident have lasted as long as they may together."""

    capped: bool = True


class Resolved(Fact):
    """The problem is over."""

    kind: ClassVar[str] = "incident.resolved"


class Closed(Fact):
    """Nothing more is to be done."""

    kind: ClassVar[str] = "incident.closed"


class Reopened(Fact):
    """It was not over."""

    kind: ClassVar[str] = "incident.reopened"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str


class Prioritised(Fact):
    """The priority changed; promises get the new priority's target from their original start."""

    kind: ClassVar[str] = "incident.prioritised"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    before: str
    priority: str
    reason: str


class Reassigned(Fact):
    """Somebody else handles it."""

    kind: ClassVar[str] = "incident.reassigned"
    personal: ClassVar[frozenset[str]] = frozenset({"to"})
    to: str


class Assigned(Fact):
    """One of the company's people handles it from now on, or nobody (`after` is null); kept from clients."""

    kind: ClassVar[str] = "incident.assigned"
    before: UUID | None
    after: UUID | None
    internal: bool = True
