"""Facts about guards who work alone; for the company, and the incident tells the client."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class WelfareWatchStarted(Fact):
    """A guard is checked on during a shift from now on."""

    kind: ClassVar[str] = "welfare.started"
    subject_type: ClassVar[str | None] = "WelfareWatch"
    shift_id: UUID
    guard: int
    every_s: int
    grace_s: int
    due_at: datetime
    internal: bool = True


class WelfareConfirmed(Fact):
    """The guard confirmed to be well; the next check is due at `due_at`."""

    kind: ClassVar[str] = "welfare.confirmed"
    subject_type: ClassVar[str | None] = "WelfareWatch"
    guard: int
    due_at_before: datetime
    due_at: datetime
    was_missed: bool
    internal: bool = True


class WelfareMissed(Fact):
    """The guard did not confirm in time."""

    kind: ClassVar[str] = "welfare.missed"
    subject_type: ClassVar[str | None] = "WelfareWatch"
    guard: int
    due_at: datetime
    internal: bool = True


class WelfareWatchEnded(Fact):
    """The checks ended, with the shift or by the office; open distress stays open."""

    kind: ClassVar[str] = "welfare.ended"
    subject_type: ClassVar[str | None] = "WelfareWatch"
    guard: int
    internal: bool = True


class DistressRaised(Fact):
    """A sign that a guard may be in distress came in; with the incident that it opened, or that was open."""

    kind: ClassVar[str] = "distress.raised"
    subject_type: ClassVar[str | None] = "DistressSign"
    shift_id: UUID
    incident_id: UUID
    guard: int | None
    cause: str
    happened_at: datetime
    is_first: bool
    internal: bool = True


class DistressWithdrawn(Fact):
    """The guard said that it was nothing; the incident stays open until somebody resolves it."""

    kind: ClassVar[str] = "distress.withdrawn"
    subject_type: ClassVar[str | None] = "DistressSign"
    guard: int | None
    internal: bool = True


class DistressEnded(Fact):
    """The incident was resolved; the guard's position was deleted from the sign."""

    kind: ClassVar[str] = "distress.ended"
    subject_type: ClassVar[str | None] = "DistressSign"
    guard: int | None
    internal: bool = True
