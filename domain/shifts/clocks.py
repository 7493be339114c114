"""Clocks of shifts: a shift begins on time, and its planned time is staffed.

A corrected clock-in has to be taken back before another one counts, which may be an earlier one: reopening would take
that back too. So the clock is called off for the microsecond of the clock-in that no longer stands, and restored after.
"""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.evidence import EvidenceFacts
from domain.promises import ClockRule, FactRole, UnitClocks

CLOCK_IN_FACTS = EvidenceFacts("shift.clocked_in", "shift.start_graded", "shift.start_withdrawn")
SHIFT = "shift"
"""The kind of unit that is a shift."""
CLOCKS = UnitClocks(
    unit_kind=SHIFT,
    subject_type="Shift",
    rules={
        PromiseKind.SHIFT_STARTED: ClockRule(
            PromiseClass.DUE,
            {
                "shift.published": FactRole(EventKind.START, time_field="from_at"),
                "shift.clocked_in": FactRole(EventKind.STOP),
                "shift.start_withdrawn": FactRole(EventKind.CANCEL, time_field="just_before"),
                "shift.attendance_corrected": FactRole(
                    EventKind.RESTORE, time_field="before", flags=("of_start",)
                ),
                "shift.cancelled": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
            evidence=CLOCK_IN_FACTS,
        ),
        PromiseKind.SHIFT_COVERED: ClockRule(
            PromiseClass.COVER,
            {
                "shift.planned": FactRole(EventKind.STOP, time_field="until_at"),
                "shift.published": FactRole(EventKind.START, time_field="from_at"),
                "shift.clocked_in": FactRole(EventKind.STAFFED),
                "shift.clocked_out": FactRole(EventKind.UNSTAFFED),
                "shift.start_withdrawn": FactRole(EventKind.UNSTAFFED, time_field="was_at"),
                "shift.end_withdrawn": FactRole(EventKind.STAFFED, time_field="was_at"),
                "shift.cancelled": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
        ),
    },
)
