"""Positions of guards: ingest of fixes, the live map, and what the fixes prove."""

from domain.positions.actions import (
    assign,
    draw_fence,
    drop_partitions,
    end,
    end_overdue,
    ensure_partitions,
    note_read,
    report,
)
from domain.positions.attendance_proof import grade_presence
from domain.positions.devices import note_refusal, set_clock
from domain.positions.geofences import Geofence, fence_of
from domain.positions.ingest import DeviceReport, IngestOutcome, accept
from domain.positions.late_evidence import decide as decide_late_arrival
from domain.positions.model import Fix, FixSource, Kind, Presence, Watched, Whereabouts
from domain.positions.panic import call_for_help
from domain.positions.presence import DUE, due, due_duties, judge, warm
from domain.positions.reads import (
    HAS_GEOFENCE,
    DeviceAssignment,
    Fences,
    ShiftWindow,
    changed_since,
    device_assignment,
    fences_of,
    last_positions,
)
from domain.positions.rules import (
    MAX_FIXES,
    REASON_TEXT,
    LivePosition,
    Reason,
    ReceivedFix,
    SiteState,
    clock_ms,
    ms_of,
    site_state,
)

__all__ = [
    "DUE",
    "HAS_GEOFENCE",
    "MAX_FIXES",
    "REASON_TEXT",
    "DeviceAssignment",
    "DeviceReport",
    "Fences",
    "Fix",
    "FixSource",
    "Geofence",
    "IngestOutcome",
    "Kind",
    "LivePosition",
    "Presence",
    "Reason",
    "ReceivedFix",
    "ShiftWindow",
    "SiteState",
    "Watched",
    "Whereabouts",
    "accept",
    "assign",
    "call_for_help",
    "changed_since",
    "clock_ms",
    "decide_late_arrival",
    "device_assignment",
    "draw_fence",
    "drop_partitions",
    "due",
    "due_duties",
    "end",
    "end_overdue",
    "ensure_partitions",
    "fence_of",
    "fences_of",
    "grade_presence",
    "judge",
    "last_positions",
    "ms_of",
    "note_read",
    "note_refusal",
    "report",
    "set_clock",
    "site_state",
    "warm",
]
