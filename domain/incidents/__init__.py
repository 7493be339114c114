"""Tickets of all kinds: open, acknowledge, update, pause, resolve, close, reopen."""

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
from domain.incidents.arrivals import ARRIVED, arrive, take_back_arrivals
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
from domain.incidents.opening import open_incident
from domain.incidents.proofs import Proof
from domain.incidents.rules import Times, first_contact_resolution, times
from domain.incidents.searching import matching
from domain.sla.pausing import PAUSE_ALLOWANCE

__all__ = [
    "ARRIVED",
    "OPEN",
    "PAUSE_ALLOWANCE",
    "Incident",
    "IncidentOutcome",
    "IncidentUpdate",
    "Pause",
    "PauseCause",
    "Proof",
    "Source",
    "Status",
    "Times",
    "acknowledge",
    "arrive",
    "change_priority",
    "close",
    "end_capped_pauses",
    "first_contact_resolution",
    "matching",
    "open_incident",
    "pause",
    "reassign",
    "reopen",
    "resolve",
    "resume",
    "start_work",
    "take_back_arrivals",
    "times",
    "update",
]
