"""Promises of incidents and other units: start, stop and evaluate their clocks, and sweep those that are due."""

from domain.evaluator.version import EVALUATOR
from domain.promises.actions import PromiseSubject, evaluate, start
from domain.promises.announced_due import announced_due
from domain.promises.bulk_start import attach
from domain.promises.due import DUE, defer, due, sweep
from domain.promises.events import unit_fields
from domain.promises.graded import PromiseEvidence, evidence_of, graded_stop
from domain.promises.internal_figures import InternalFigures, internal_figures
from domain.promises.model import INCIDENT, Promise, PromiseWatch, State
from domain.promises.pause_limit import PAUSE_ALLOWANCE
from domain.promises.pinned import pause_allowance, warnings_of
from domain.promises.reads import RunningClock, announced_due_of, has_older_verdicts, live
from domain.promises.registry import (
    clock_event_kinds,
    is_about,
    occurrence_kinds,
    roles_of,
    rule_of,
    units,
)
from domain.promises.roles import ClockRule, FactRole, UnitClocks
from domain.promises.translation import (
    ClockColumns,
    ClockFact,
    JudgedPart,
    build,
    dimension,
    from_us,
    judge,
    to_us,
    warm,
)

__all__ = [
    "DUE",
    "EVALUATOR",
    "INCIDENT",
    "PAUSE_ALLOWANCE",
    "ClockColumns",
    "ClockFact",
    "ClockRule",
    "FactRole",
    "InternalFigures",
    "JudgedPart",
    "Promise",
    "PromiseEvidence",
    "PromiseSubject",
    "PromiseWatch",
    "RunningClock",
    "State",
    "UnitClocks",
    "announced_due",
    "announced_due_of",
    "attach",
    "build",
    "clock_event_kinds",
    "defer",
    "dimension",
    "due",
    "evaluate",
    "evidence_of",
    "from_us",
    "graded_stop",
    "has_older_verdicts",
    "internal_figures",
    "is_about",
    "judge",
    "live",
    "occurrence_kinds",
    "pause_allowance",
    "roles_of",
    "rule_of",
    "start",
    "sweep",
    "to_us",
    "unit_fields",
    "units",
    "warm",
    "warnings_of",
]
