"""Health: how well the relationship with a client is, from facts: signals, a score, bands and early warnings."""

from domain.health.actions import (
    ClaimedHealth,
    Computed,
    SignalContent,
    claim_due,
    compute,
    computed_from,
    defer,
    mark,
    mark_company,
    mark_missing,
    recompute,
    settle_band,
    signals_of,
)
from domain.health.explain import (
    Counterfactual,
    HealthChange,
    Missing,
    ShownSignal,
    SignalChange,
    changed_since,
    counterfactuals,
    drivers,
    missing_of,
    shown_signals,
    trend_of,
)
from domain.health.model import (
    BANDS,
    PLAIN_BANDS,
    AccountHealth,
    EarlyWarning,
    HealthBand,
    HealthSnapshot,
    HealthStatus,
    HealthTrend,
    Observation,
    PlainBand,
    SignalState,
    SnapshotPeriod,
)
from domain.health.observations import (
    ObservationDraft,
    record_observation,
    withdraw_observation,
)
from domain.health.observed import RULES as OBSERVATION_RULES
from domain.health.observed import ObservationKind
from domain.health.parameters import PREFIX as PARAMETER_PREFIX
from domain.health.reads import KINDS, load_facts
from domain.health.registry import BY_KEY, SIGNALS
from domain.health.scoring import band_of
from domain.health.signals import Signal, SignalCategory, SignalKey
from domain.health.warning_input import WarningRule, WarningSeverity
from domain.health.warning_rules import RULES as WARNING_RULES

__all__ = [
    "BANDS",
    "BY_KEY",
    "KINDS",
    "OBSERVATION_RULES",
    "PARAMETER_PREFIX",
    "PLAIN_BANDS",
    "SIGNALS",
    "WARNING_RULES",
    "AccountHealth",
    "ClaimedHealth",
    "Computed",
    "Counterfactual",
    "EarlyWarning",
    "HealthBand",
    "HealthChange",
    "HealthSnapshot",
    "HealthStatus",
    "HealthTrend",
    "Missing",
    "Observation",
    "ObservationDraft",
    "ObservationKind",
    "PlainBand",
    "ShownSignal",
    "Signal",
    "SignalCategory",
    "SignalChange",
    "SignalContent",
    "SignalKey",
    "SignalState",
    "SnapshotPeriod",
    "WarningRule",
    "WarningSeverity",
    "band_of",
    "changed_since",
    "claim_due",
    "compute",
    "computed_from",
    "counterfactuals",
    "defer",
    "drivers",
    "load_facts",
    "mark",
    "mark_company",
    "mark_missing",
    "missing_of",
    "recompute",
    "record_observation",
    "settle_band",
    "shown_signals",
    "signals_of",
    "trend_of",
    "withdraw_observation",
]
