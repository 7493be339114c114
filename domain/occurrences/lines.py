"""Lines of a signed report: what it says of entries, attendance, rounds and incidents, read from its content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.agreements.model import Priority
from domain.evidence import Grade
from domain.incidents.model import Status
from domain.occurrences.model import (
    OccurrenceCorrection,
    OccurrenceEntry,
    OccurrenceKind,
    ShiftReport,
)
from domain.occurrences.rules import state_after
from domain.shifts.model import AttendanceKind, AttendanceSource


@dataclass(frozen=True, slots=True)
class EntryLine:
    """An entry as it was when the report was signed."""

    entry_id: UUID
    kind: OccurrenceKind
    words: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class AttendanceLine:
    """A clock-in or clock-out that counted when the report was signed."""

    attendance_id: UUID
    kind: AttendanceKind
    at: datetime
    source: AttendanceSource
    grade: Grade | None


@dataclass(frozen=True, slots=True)
class RoundLine:
    """How far a round was when the report was signed."""

    round_id: UUID
    point_count: int
    visited: int
    missed: int
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SiteIncidentLine:
    """An incident as it was when the report was signed."""

    incident_id: UUID
    priority: Priority
    status: Status


def entries_named(report: ShiftReport) -> list[UUID]:
    """Return the ids of the entries in a report."""
    return [UUID(each["id"]) for each in _part(report, "entries")]


def entry_lines(
    report: ShiftReport,
    entries: Mapping[UUID, OccurrenceEntry],
    corrections: Mapping[UUID, Sequence[OccurrenceCorrection]],
    *,
    sees_internal: bool,
) -> list[EntryLine]:
    """Return the entries of a report as they were; without those that are not in `entries`, or were internal."""
    found = []
    for each in _part(report, "entries"):
        entry_id = UUID(each["id"])
        if entry_id not in entries or (each["internal"] and not sees_internal):
            continue
        then = state_after(
            entries[entry_id], corrections.get(entry_id, ()), int(each["corrections"])
        )
        found.append(EntryLine(entry_id, then.kind, then.words, _time(each["happened_at"])))
    return found


def attendance_lines(report: ShiftReport) -> list[AttendanceLine]:
    """Return the attendance in a report."""
    return [
        AttendanceLine(
            UUID(each["id"]),
            AttendanceKind(each["kind"]),
            _time(each["at"]),
            AttendanceSource(each["source"]),
            None if each["grade"] is None else Grade(each["grade"]),
        )
        for each in _part(report, "attendance")
    ]


def round_lines(report: ShiftReport) -> list[RoundLine]:
    """Return the rounds in a report."""
    return [
        RoundLine(
            UUID(each["id"]),
            int(each["points"]),
            int(each["visited"]),
            int(each["missed"]),
            None if each["completed_at"] is None else _time(each["completed_at"]),
        )
        for each in _part(report, "rounds")
    ]


def incident_lines(report: ShiftReport) -> list[SiteIncidentLine]:
    """Return the incidents in a report."""
    return [
        SiteIncidentLine(UUID(each["id"]), Priority(each["priority"]), Status(each["status"]))
        for each in _part(report, "incidents")
    ]


def _part(report: ShiftReport, name: str) -> list[dict[str, Any]]:
    content: dict[str, Any] = report.content or {}
    found: list[dict[str, Any]] = content.get(name, [])
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
