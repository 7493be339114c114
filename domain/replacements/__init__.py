"""Replacements: a guard is absent, another one is sought by offers, and arrives; with the promise about it."""

from domain.replacements.actions import (
    assign_replacement,
    report_absence,
    report_on_the_way,
    resume_offers,
    take_over,
)
from domain.replacements.candidates import ReplacementRanking, offers_so_far, rank
from domain.replacements.clocks import REPLACEMENT
from domain.replacements.letters import (
    ReplacementLetter,
    ShiftOfferLetter,
    tell_offer,
    tell_replacement,
)
from domain.replacements.links import OfferLinks
from domain.replacements.model import (
    AbsenceCause,
    OfferState,
    Replacement,
    ReplacementState,
    ShiftOffer,
)
from domain.replacements.offering import (
    DUE,
    RATE_OVER,
    accept,
    accept_by_link,
    decline,
    look_at_replacement,
    replacements_due,
)
from domain.replacements.rules import (
    CandidateFactor,
    CandidateGuard,
    ExcludedGuard,
    ExclusionRule,
    FactorReason,
    acceptance_rate,
    wave_size,
)

__all__ = [
    "DUE",
    "RATE_OVER",
    "REPLACEMENT",
    "AbsenceCause",
    "CandidateFactor",
    "CandidateGuard",
    "ExcludedGuard",
    "ExclusionRule",
    "FactorReason",
    "OfferLinks",
    "OfferState",
    "Replacement",
    "ReplacementLetter",
    "ReplacementRanking",
    "ReplacementState",
    "ShiftOffer",
    "ShiftOfferLetter",
    "accept",
    "accept_by_link",
    "acceptance_rate",
    "assign_replacement",
    "decline",
    "look_at_replacement",
    "offers_so_far",
    "rank",
    "replacements_due",
    "report_absence",
    "report_on_the_way",
    "resume_offers",
    "take_over",
    "tell_offer",
    "tell_replacement",
    "wave_size",
]
