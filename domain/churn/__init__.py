"""Probabilities that clients leave: hazard with priors, explanation, abstention and calibration."""

from domain.churn.abstention import Abstention, AbstentionReason, abstentions
from domain.churn.calibration import CalibrationReport, report
from domain.churn.conformal import FEWEST_LEAVERS, Coverage, Thresholds, thresholds_of
from domain.churn.features import ClientTable, read_clients
from domain.churn.hazard import (
    ClientMonth,
    HazardForecast,
    HazardModel,
    ObservedMonth,
    SignContribution,
    forecast,
    learn,
)
from domain.churn.logistic import Fitted, Prior, fit, logits_of, sigmoid
from domain.churn.profile import ChurnProfile, SignRule, load_profile, shipped_profiles
from domain.churn.validation import ModelFigures, Validation, validate

__all__ = [
    "FEWEST_LEAVERS",
    "Abstention",
    "AbstentionReason",
    "CalibrationReport",
    "ChurnProfile",
    "ClientMonth",
    "ClientTable",
    "Coverage",
    "Fitted",
    "HazardForecast",
    "HazardModel",
    "ModelFigures",
    "ObservedMonth",
    "Prior",
    "SignContribution",
    "SignRule",
    "Thresholds",
    "Validation",
    "abstentions",
    "fit",
    "forecast",
    "learn",
    "load_profile",
    "logits_of",
    "read_clients",
    "report",
    "shipped_profiles",
    "sigmoid",
    "thresholds_of",
    "validate",
]
