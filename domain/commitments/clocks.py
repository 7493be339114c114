"""Clocks of commitments: one is due at its instant, and stops when it is done."""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks

COMMITMENT = "commitment"
"""The kind of unit that is a commitment."""
CLOCKS = UnitClocks(
    unit_kind=COMMITMENT,
    subject_type="Commitment",
    rules={
        PromiseKind.COMMITMENT_KEPT: ClockRule(
            PromiseClass.DUE,
            {
                "commitment.made": FactRole(EventKind.START, time_field="due_at"),
                "commitment.done": FactRole(EventKind.STOP),
                "commitment.withdrawn": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
        ),
    },
)
