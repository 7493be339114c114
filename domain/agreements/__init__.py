"""Agreements with clients: versioned terms, their promises, and the credits for broken promises."""

from domain.agreements.actions import (
    amend,
    calendar_versions,
    end,
    must_be_computable,
    sign,
)
from domain.agreements.duration import agree_duration, duration_of
from domain.agreements.events import AgreementEnding
from domain.agreements.limits import (
    MOST_SPECIFIC,
    IncidentAttributes,
    PromiseLimits,
    applicable,
)
from domain.agreements.model import (
    Agreement,
    ClockStart,
    CreditBand,
    CreditBasis,
    CreditRule,
    PerCause,
    Priority,
    PromiseKind,
    PromiseTarget,
    PromiseTerm,
    Rate,
    Terms,
    TicketKind,
    Unit,
)
from domain.agreements.notices import about_agreement, announce_amendment, announce_end
from domain.agreements.rates import price_on, rates_of, set_rate
from domain.agreements.reads import Term, hours_of, in_force, terms_by_id
from domain.agreements.rules import (
    BandDraft,
    CreditDraft,
    PromiseDraft,
    Target,
    TermsDraft,
    check,
)
from domain.agreements.seed import seed_matrix

__all__ = [
    "MOST_SPECIFIC",
    "Agreement",
    "AgreementEnding",
    "BandDraft",
    "ClockStart",
    "CreditBand",
    "CreditBasis",
    "CreditDraft",
    "CreditRule",
    "IncidentAttributes",
    "PerCause",
    "Priority",
    "PromiseDraft",
    "PromiseKind",
    "PromiseLimits",
    "PromiseTarget",
    "PromiseTerm",
    "Rate",
    "Target",
    "Term",
    "Terms",
    "TermsDraft",
    "TicketKind",
    "Unit",
    "about_agreement",
    "agree_duration",
    "amend",
    "announce_amendment",
    "announce_end",
    "applicable",
    "calendar_versions",
    "check",
    "duration_of",
    "end",
    "hours_of",
    "in_force",
    "must_be_computable",
    "price_on",
    "rates_of",
    "seed_matrix",
    "set_rate",
    "sign",
    "terms_by_id",
]
