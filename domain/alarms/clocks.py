"""Clock of alarms: from the time at which an alarm is received until somebody is on site.

An arrival that later evidence replaces is called off for its microsecond, as for replacements.
"""

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.evidence import EvidenceFacts
from domain.promises import ClockRule, FactRole, UnitClocks

ARRIVAL_FACTS = EvidenceFacts("alarm.arrived", "alarm.arrival_graded", "alarm.arrival_withdrawn")
ALARM = "alarm"
"""The kind of unit that is an alarm."""
CLOCKS = UnitClocks(
    unit_kind=ALARM,
    subject_type="Alarm",
    rules={
        PromiseKind.ALARM_ATTENDED: ClockRule(
            PromiseClass.FLOW,
            {
                "alarm.received": FactRole(EventKind.START),
                "alarm.arrived": FactRole(EventKind.STOP),
                "alarm.arrival_withdrawn": FactRole(EventKind.CANCEL, time_field="just_before"),
                "alarm.reassessed": FactRole(EventKind.RESTORE, time_field="was_at"),
                "alarm.called_off": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
            evidence=ARRIVAL_FACTS,
        ),
    },
)
