"""Renewals of agreements: a timeline to the last day for notice, a dossier of value, and an outcome with its reason."""

from domain.renewals.actions import decide, follow_duration
from domain.renewals.dossier import RenewalDossier, dossier_of
from domain.renewals.letters import tell_renewal_due
from domain.renewals.model import Renewal, RenewalOutcome, RenewalReason
from domain.renewals.watching import look_at_renewal, renewals_due

__all__ = [
    "Renewal",
    "RenewalDossier",
    "RenewalOutcome",
    "RenewalReason",
    "decide",
    "dossier_of",
    "follow_duration",
    "look_at_renewal",
    "renewals_due",
    "tell_renewal_due",
]
