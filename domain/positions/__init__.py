"""Guards on the map: fixes accepted, where everybody is now, and what that proves."""

from domain.positions.accepting import Outcome, Report, accept
from domain.positions.actions import (
    assign,
    draw_fence,
    end,
    end_overdue,
    forget,
    have_days,
    note_read,
    report,
)
from domain.positions.devices import note_refusal, set_clock
from domain.positions.fences import Fence, fence_of
from domain.positions.judging import due, judge, warm
from domain.positions.lateness import decide as decide_late_arrival
from domain.positions.model import Fix, Kind, Presence, Source, Watched, Whereabouts
from domain.positions.panic import call_for_help
from domain.positions.reads import (
    FENCED,
    Fences,
    Post,
    Tour,
    changed_since,
    fences_of,
    post_of,
    where,
)
from domain.positions.rules import (
    MOST,
    WORDS,
    Position,
    Reading,
    Reason,
    SiteState,
    clock_ms,
    ms_of,
    site_state,
)

__all__ = [
    "FENCED",
    "MOST",
    "WORDS",
    "Fence",
    "Fences",
    "Fix",
    "Kind",
    "Outcome",
    "Position",
    "Post",
    "Presence",
    "Reading",
    "Reason",
    "Report",
    "SiteState",
    "Source",
    "Tour",
    "Watched",
    "Whereabouts",
    "accept",
    "assign",
    "call_for_help",
    "changed_since",
    "clock_ms",
    "decide_late_arrival",
    "draw_fence",
    "due",
    "end",
    "end_overdue",
    "fence_of",
    "fences_of",
    "forget",
    "have_days",
    "judge",
    "ms_of",
    "note_read",
    "note_refusal",
    "post_of",
    "report",
    "set_clock",
    "site_state",
    "warm",
    "where",
]
