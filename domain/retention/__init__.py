"""Retention: estimates of leaving and how they came true, outcomes, cohorts, and scores of loyalty and growth."""

from domain.retention.calibration import CalibrationBin, ForecastReport, calibration
from domain.retention.cohorts import CohortBy, RetentionCohort, retention
from domain.retention.estimates import (
    ChurnAnswer,
    ChurnContribution,
    ForecastCalibration,
    NumberShown,
    NumberWithheld,
    ReasonToAbstain,
    estimates,
    shown,
)
from domain.retention.forecasts import (
    answer_of,
    companies_due,
    forecasts_over,
    publish,
    publish_month,
    score,
)
from domain.retention.history import outcomes_of as outcomes_of_company
from domain.retention.model import (
    ChurnForecast,
    ChurnHorizon,
    ClientOutcome,
    ForecastBasis,
    OutcomeKind,
    OutcomeReason,
)
from domain.retention.outcomes import label, label_end, outcomes_due
from domain.retention.relationship_scores import (
    RelationshipScores,
    relationship_scores,
    yearly_value,
)
from domain.retention.rule_scores import (
    BadMoment,
    GoodMoment,
    LifetimeValue,
    ProposalGate,
    RuleScore,
    RuleScoreKind,
    ScorePart,
    lifetime_value,
)

__all__ = [
    "BadMoment",
    "CalibrationBin",
    "ChurnAnswer",
    "ChurnContribution",
    "ChurnForecast",
    "ChurnHorizon",
    "ClientOutcome",
    "CohortBy",
    "ForecastBasis",
    "ForecastCalibration",
    "ForecastReport",
    "GoodMoment",
    "LifetimeValue",
    "NumberShown",
    "NumberWithheld",
    "OutcomeKind",
    "OutcomeReason",
    "ProposalGate",
    "ReasonToAbstain",
    "RelationshipScores",
    "RetentionCohort",
    "RuleScore",
    "RuleScoreKind",
    "ScorePart",
    "answer_of",
    "calibration",
    "companies_due",
    "estimates",
    "forecasts_over",
    "label",
    "label_end",
    "lifetime_value",
    "outcomes_due",
    "outcomes_of_company",
    "publish",
    "publish_month",
    "relationship_scores",
    "retention",
    "score",
    "shown",
    "yearly_value",
]
