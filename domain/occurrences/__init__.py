"""Occurrences: the log of what guards note at sites and is no incident, and the reports of shifts."""

from domain.occurrences.actions import correct_entry, log_entry, open_from_entry
from domain.occurrences.clocks import SHIFT_REPORT
from domain.occurrences.lines import (
    AttendanceLine,
    EntryLine,
    RoundLine,
    SiteIncidentLine,
    attendance_lines,
    entries_named,
    entry_lines,
    incident_lines,
    round_lines,
)
from domain.occurrences.model import (
    OccurrenceCorrection,
    OccurrenceEntry,
    OccurrenceKind,
    ShiftReport,
)
from domain.occurrences.reporting import sign_report
from domain.occurrences.rules import OccurrenceDraft, digest_of

__all__ = [
    "SHIFT_REPORT",
    "AttendanceLine",
    "EntryLine",
    "OccurrenceCorrection",
    "OccurrenceDraft",
    "OccurrenceEntry",
    "OccurrenceKind",
    "RoundLine",
    "ShiftReport",
    "SiteIncidentLine",
    "attendance_lines",
    "correct_entry",
    "digest_of",
    "entries_named",
    "entry_lines",
    "incident_lines",
    "log_entry",
    "open_from_entry",
    "round_lines",
    "sign_report",
]
