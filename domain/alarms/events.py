"""Facts about alarms and keys. Clients read them: guards are named by the client's number of them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.evidence import Grade
from domain.shifts import OfGrade


class AlarmReceived(Fact):
    """A sender reported an alarm at a site; the clock of its promise starts."""

    kind: ClassVar[str] = "alarm.received"
    subject_type: ClassVar[str | None] = "Alarm"
    site_id: UUID
    incident_id: UUID
    alarm_kind: str
    event_code: str | None
    zone: str | None
    happened_at: datetime | None


class AlarmDispatched(Fact):
    """A guard was sent to the alarm; with the straight distance, and when the guard is expected."""

    kind: ClassVar[str] = "alarm.dispatched"
    subject_type: ClassVar[str | None] = "Alarm"
    guard_before: int | None
    guard: int
    distance_m: int | None
    arrives_at: datetime | None


class AlarmAccepted(Fact):
    """The guard who was sent goes there."""

    kind: ClassVar[str] = "alarm.accepted"
    subject_type: ClassVar[str | None] = "Alarm"
    guard: int | None


class AlarmDeclined(Fact):
    """The guard who was sent does not go there; another one has to be sent."""

    kind: ClassVar[str] = "alarm.declined"
    subject_type: ClassVar[str | None] = "Alarm"
    guard: int | None


class AlarmEnRoute(Fact):
    """The guard is on the way, and is expected at `arrives_at`; none where it is unknown."""

    kind: ClassVar[str] = "alarm.en_route"
    subject_type: ClassVar[str | None] = "Alarm"
    guard: int | None
    arrives_at_before: datetime | None
    arrives_at: datetime | None


class AlarmAttended(OfGrade):
    """Somebody is on site, at the time of the fact: by the geofence, or by a person's word."""

    kind: ClassVar[str] = "alarm.arrived"
    subject_type: ClassVar[str | None] = "Alarm"
    guard: int | None


class AlarmArrivalGraded(OfGrade):
    """The arrival at `instant` has another grade, by evidence that came in later."""

    kind: ClassVar[str] = "alarm.arrival_graded"
    subject_type: ClassVar[str | None] = "Alarm"
    instant: datetime
    grade_before: Grade | None


class AlarmArrivalWithdrawn(Fact):
    """An arrival no longer stands; `just_before` is a microsecond before it."""

    kind: ClassVar[str] = "alarm.arrival_withdrawn"
    subject_type: ClassVar[str | None] = "Alarm"
    was_at: datetime
    just_before: datetime


class AlarmReassessed(Fact):
    """The clock of an alarm goes on from the arrival that was withdrawn."""

    kind: ClassVar[str] = "alarm.reassessed"
    subject_type: ClassVar[str | None] = "Alarm"
    was_at: datetime


class AlarmInspected(Fact):
    """The guard inspected the site by the checklist; items and findings are in the row."""

    kind: ClassVar[str] = "alarm.inspected"
    subject_type: ClassVar[str | None] = "Alarm"
    guard: int | None
    items: int
    faults: int


class AlarmReported(Fact):
    """The guard reported what the response found; the response is over."""

    kind: ClassVar[str] = "alarm.reported"
    subject_type: ClassVar[str | None] = "Alarm"
    personal: ClassVar[frozenset[str]] = frozenset({"report"})
    guard: int | None
    outcome: str
    false_alarm_cause: str | None
    report: str


class AlarmCalledOff(Fact):
    """The alarm needs no response any more."""

    kind: ClassVar[str] = "alarm.called_off"
    subject_type: ClassVar[str | None] = "Alarm"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str | None


class PoliceNoted(Fact):
    """Somebody reported the alarm to the police, who noted it under `number`."""

    kind: ClassVar[str] = "alarm.police_noted"
    subject_type: ClassVar[str | None] = "Alarm"
    number_before: str | None
    number: str
    told_at_before: datetime | None
    told_at: datetime


class AlarmSystemSet(Fact):
    """An alarm centre's number stands for a site, with its zones and what a response needs."""

    kind: ClassVar[str] = "alarm_system.set"
    subject_type: ClassVar[str | None] = "AlarmSystem"
    before: dict[str, Any] | None
    after: dict[str, Any]
    internal: bool = True


class AlarmSystemRetired(Fact):
    """An alarm centre's number stands for no site any more."""

    kind: ClassVar[str] = "alarm_system.retired"
    subject_type: ClassVar[str | None] = "AlarmSystem"
    internal: bool = True


class KeyRegistered(Fact):
    """The company keeps a key of a site."""

    kind: ClassVar[str] = "registered_key.registered"
    subject_type: ClassVar[str | None] = "RegisteredKey"
    site_id: UUID
    label: str


class KeyIssued(Fact):
    """A key of a site was issued to a guard."""

    kind: ClassVar[str] = "registered_key.issued"
    subject_type: ClassVar[str | None] = "RegisteredKey"
    guard: int


class KeyReturned(Fact):
    """A key of a site came back from a guard."""

    kind: ClassVar[str] = "registered_key.returned"
    subject_type: ClassVar[str | None] = "RegisteredKey"
    guard: int


class KeyWithdrawn(Fact):
    """The company no longer keeps a key: the client has it back."""

    kind: ClassVar[str] = "registered_key.withdrawn"
    subject_type: ClassVar[str | None] = "RegisteredKey"
