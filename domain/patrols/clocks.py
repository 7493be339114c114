"""Clocks of patrols: a round is completed in time, and each of its points is visited in time.

A later upload can show that a scan proves nothing. Such a stop is called off for its microsecond and restored right
after it, as for corrected shifts.
"""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks

PATROL_ROUND, PATROL_VISIT = "patrol_round", "patrol_visit"
"""The kinds of units that are a round, and a point that a round visits."""
CLOCKS = (
    UnitClocks(
        unit_kind=PATROL_ROUND,
        subject_type="PatrolRound",
        rules={
            PromiseKind.PATROL_COMPLETED: ClockRule(
                PromiseClass.DUE,
                {
                    "patrol_round.opened": FactRole(EventKind.START, time_field="due_at"),
                    "patrol_round.completed": FactRole(EventKind.STOP),
                    "patrol_round.withdrawn": FactRole(EventKind.CANCEL, time_field="just_before"),
                    "patrol_round.reassessed": FactRole(EventKind.RESTORE, time_field="was_at"),
                },
                prioritised=False,
            ),
        },
    ),
    UnitClocks(
        unit_kind=PATROL_VISIT,
        subject_type="PatrolVisit",
        rules={
            PromiseKind.POINT_VISITED: ClockRule(
                PromiseClass.DUE,
                {
                    "patrol_visit.expected": FactRole(EventKind.START, time_field="due_at"),
                    "patrol_visit.made": FactRole(EventKind.STOP),
                    "patrol_visit.withdrawn": FactRole(EventKind.CANCEL, time_field="just_before"),
                    "patrol_visit.reassessed": FactRole(EventKind.RESTORE, time_field="was_at"),
                },
                prioritised=False,
            ),
        },
    ),
)
