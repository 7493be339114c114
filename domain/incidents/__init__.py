"""Incidents of all kinds: open, acknowledge, update, pause, resolve, close, reopen."""

from domain.incidents.actions import (
    acknowledge,
    change_priority,
    close,
    end_capped_pauses,
    pause,
    reassign,
    reopen,
    resolve,
    resume,
    start_work,
    update,
)
from domain.incidents.arrivals import ARRIVED, arrive, withdraw_arrivals
from domain.incidents.arrivals_graded import (
    ARRIVAL_FACTS,
    ArrivalEvidence,
    arrival_evidence,
    grade_arrival,
    says_more,
    standing_evidence,
)
from domain.incidents.assigning import assign
from domain.incidents.capped_pauses import PAUSES_DUE, capped_pauses
from domain.incidents.inquiries import TakenReply, take_reply
from domain.incidents.late_arrivals import (
    Decision,
    LateArrival,
    decide_late_arrival,
    late_arrivals,
    offer_late_arrival,
    pending_late_arrival,
)
from domain.incidents.model import (
    OPEN,
    Incident,
    IncidentOutcome,
    IncidentUpdate,
    Pause,
    PauseCause,
    Source,
    Status,
)
from domain.incidents.notices import (
    compose_about,
    hurry_notices,
    tell_opened,
    tell_resolved,
    tell_updated,
)
from domain.incidents.occurrence import StatedOccurrence, correct_occurrence
from domain.incidents.opening import open_incident
from domain.incidents.proofs import Proof
from domain.incidents.rules import Times, first_contact_resolution, times
from domain.incidents.searching import matching
from domain.promises import PAUSE_ALLOWANCE

__all__ = [
    "ARRIVAL_FACTS",
    "ARRIVED",
    "OPEN",
    "PAUSES_DUE",
    "PAUSE_ALLOWANCE",
    "ArrivalEvidence",
    "Decision",
    "Incident",
    "IncidentOutcome",
    "IncidentUpdate",
    "LateArrival",
    "Pause",
    "PauseCause",
    "Proof",
    "Source",
    "StatedOccurrence",
    "Status",
    "TakenReply",
    "Times",
    "acknowledge",
    "arrival_evidence",
    "arrive",
    "assign",
    "capped_pauses",
    "change_priority",
    "close",
    "compose_about",
    "correct_occurrence",
    "decide_late_arrival",
    "end_capped_pauses",
    "first_contact_resolution",
    "grade_arrival",
    "hurry_notices",
    "late_arrivals",
    "matching",
    "offer_late_arrival",
    "open_incident",
    "pause",
    "pending_late_arrival",
    "reassign",
    "reopen",
    "resolve",
    "resume",
    "says_more",
    "standing_evidence",
    "start_work",
    "take_reply",
    "tell_opened",
    "tell_resolved",
    "tell_updated",
    "times",
    "update",
    "withdraw_arrivals",
]
