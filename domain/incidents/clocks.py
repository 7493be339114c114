"""Clocks of incidents: which of their facts run which promises.

The end of an incident ends each of its clocks: a first response and an update stop, an arrival that is not late is
cancelled, and a resolution, a closure and an agreed date are cancelled when the incident was called off.
"""

from collections.abc import Mapping

from domain.agreements.model import PromiseKind
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.incidents.arrivals_graded import ARRIVAL_FACTS
from domain.promises import ClockRule, FactRole, UnitClocks
from domain.promises.model import INCIDENT

OCCURRENCE_STATED = "incident.occurrence_stated"

_ALWAYS = {
    "incident.opened": FactRole(EventKind.START),
    "incident.paused": FactRole(EventKind.PAUSE),
    "incident.resumed": FactRole(EventKind.RESUME),
    "incident.prioritised": FactRole(EventKind.PRIORITY),
}
_STOP, _REOPEN, _CANCEL = (
    FactRole(event) for event in (EventKind.STOP, EventKind.REOPEN, EventKind.CANCEL)
)
_ENDS = {"incident.resolved": _STOP, "incident.closed": _STOP}
_AGAIN = {"incident.reopened": _REOPEN}
_CALLED_OFF = {"incident.called_off": _CANCEL}
_RESTORED = {"incident.reopened": FactRole(EventKind.RESTORE)}


def _of_date(roles: Mapping[str, FactRole]) -> dict[str, FactRole]:
    """Let the original time count: an imported end shortly before the opening was moved to the opening."""
    return {
        fact: FactRole(role.event, imported_time_field="said_at") for fact, role in roles.items()
    }


CLOCKS = UnitClocks(
    unit_kind=INCIDENT,
    subject_type="Incident",
    rules={
        PromiseKind.FIRST_RESPONSE: ClockRule(
            PromiseClass.FLOW,
            _ALWAYS
            | {
                "incident.acknowledged": _STOP,
                "incident.acknowledgement_withdrawn": _REOPEN,
            }
            | _ENDS,
        ),
        # Updates by clients and by machines do not count as the company's update.
        PromiseKind.NEXT_UPDATE: ClockRule(
            PromiseClass.UPDATE,
            _ALWAYS
            | _ENDS
            | _AGAIN
            | {"incident.updated": FactRole(EventKind.UPDATE, flags=("client_visible", "from_us"))},
        ),
        PromiseKind.ARRIVAL: ClockRule(
            PromiseClass.FLOW,
            _ALWAYS
            | _CALLED_OFF
            | _RESTORED
            | {
                "incident.arrived": _STOP,
                "incident.arrival_withdrawn": _REOPEN,
                "incident.resolved": _CANCEL,
                "incident.closed": _CANCEL,
            },
            evidence=ARRIVAL_FACTS,
        ),
        PromiseKind.RESOLUTION: ClockRule(
            PromiseClass.FLOW, _ALWAYS | _CALLED_OFF | _ENDS | _AGAIN
        ),
        PromiseKind.CLOSURE: ClockRule(
            PromiseClass.FLOW, _ALWAYS | _CALLED_OFF | _AGAIN | {"incident.closed": _STOP}
        ),
        PromiseKind.AGREED_DATE: ClockRule(
            PromiseClass.DUE,
            _of_date(_CALLED_OFF | _RESTORED | _ENDS)
            | {"incident.due_agreed": FactRole(EventKind.START, time_field="due_at")},
        ),
        # Measured only where somebody said when the incident happened.
        PromiseKind.INCIDENT_TOLD: ClockRule(
            PromiseClass.FLOW,
            {
                "incident.opened": FactRole(EventKind.START, at_occurrence=True),
                OCCURRENCE_STATED: FactRole(EventKind.STOP, time_field="told_at"),
            },
        ),
    },
    occurrence=OCCURRENCE_STATED,
)
