"""Clock of replacements: from the time at which an absence is known until a guard is at the post.

Where the shift begins later than the promise lasts, the clock starts that much before it, so that nobody is late before
the shift begins. An arrival that a correction replaces is called off for its microsecond, as for shifts.
"""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.evidence import EvidenceFacts
from domain.promises import ClockRule, FactRole, UnitClocks

ARRIVAL_FACTS = EvidenceFacts(
    "replacement.arrived", "replacement.arrival_graded", "replacement.arrival_withdrawn"
)
REPLACEMENT = "replacement"
"""The kind of unit that is a replacement."""
CLOCKS = UnitClocks(
    unit_kind=REPLACEMENT,
    subject_type="Replacement",
    rules={
        PromiseKind.REPLACEMENT_ON_POST: ClockRule(
            PromiseClass.FLOW,
            {
                "replacement.needed": FactRole(EventKind.START, time_field="counts_from_at"),
                "replacement.arrived": FactRole(EventKind.STOP),
                "replacement.arrival_withdrawn": FactRole(
                    EventKind.CANCEL, time_field="just_before"
                ),
                "replacement.reassessed": FactRole(EventKind.RESTORE, time_field="was_at"),
                "replacement.withdrawn": FactRole(EventKind.CANCEL, time_field="as_of"),
            },
            prioritised=False,
            evidence=ARRIVAL_FACTS,
        ),
    },
)
