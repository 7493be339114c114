"""Clocks of reports: a report is due at the time of its plan, and done when it is delivered."""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks

REPORT = "report"
"""The kind of unit that is a report."""
CLOCKS = UnitClocks(
    unit_kind=REPORT,
    subject_type="Report",
    rules={
        PromiseKind.REPORT_DELIVERED: ClockRule(
            PromiseClass.DUE,
            {
                "report.made": FactRole(EventKind.START, time_field="due_at"),
                "report.delivered": FactRole(EventKind.STOP),
            },
            prioritised=False,
        ),
    },
)
