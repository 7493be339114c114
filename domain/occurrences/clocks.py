"""Clock of reports of shifts: the report is signed within a time after the planned end of the shift.

The planned end counts, whenever the guard clocks out: a late upload or a corrected clock-out moves no deadline.
"""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks

SHIFT_REPORT = "shift_report"
"""The kind of unit that is a report of a shift."""
CLOCKS = UnitClocks(
    unit_kind=SHIFT_REPORT,
    subject_type="ShiftReport",
    rules={
        PromiseKind.SHIFT_REPORTED: ClockRule(
            PromiseClass.DUE,
            {
                "shift_report.expected": FactRole(EventKind.START, time_field="due_at"),
                "shift_report.signed": FactRole(EventKind.STOP),
            },
            prioritised=False,
        ),
    },
)
