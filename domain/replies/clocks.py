"""Clocks of replies: one is due at its instant, and stops when the source has it or the review needs none."""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.promises import ClockRule, FactRole, UnitClocks

REVIEW_REPLY = "review_reply"
"""The kind of unit that is a reply to a review."""
CLOCKS = UnitClocks(
    unit_kind=REVIEW_REPLY,
    subject_type="ReviewReply",
    rules={
        PromiseKind.REVIEW_ANSWERED: ClockRule(
            PromiseClass.DUE,
            {
                "review_reply.drafted": FactRole(EventKind.START, time_field="due_at"),
                "review_reply.sent": FactRole(EventKind.STOP),
                "review_reply.overtaken": FactRole(EventKind.STOP),
                "review_reply.withdrawn": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
        ),
    },
)
