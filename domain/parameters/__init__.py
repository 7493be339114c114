"""Parameters: numbers of company policy, set from an instant on for the company, a tier, an account or a site."""

from domain.parameters.actions import ParameterPlace, reset_value, set_value
from domain.parameters.definitions import (
    CADENCE_TIERS,
    OF_ACCOUNTS,
    SERVICE_TIERS,
    AllowedRange,
    ParameterDefinition,
    ParameterLevel,
    ParameterTier,
    ParameterUnit,
    Quantity,
)
from domain.parameters.model import ParameterValue
from domain.parameters.reads import (
    EffectiveParameter,
    ParameterScope,
    ParameterValues,
    load_values,
    readable_definitions,
    required_in,
)
from domain.parameters.reference_page import default_text, page
from domain.parameters.registry import definitions, including
from domain.parameters.rules import allowed_text

__all__ = [
    "CADENCE_TIERS",
    "OF_ACCOUNTS",
    "SERVICE_TIERS",
    "AllowedRange",
    "EffectiveParameter",
    "ParameterDefinition",
    "ParameterLevel",
    "ParameterPlace",
    "ParameterScope",
    "ParameterTier",
    "ParameterUnit",
    "ParameterValue",
    "ParameterValues",
    "Quantity",
    "allowed_text",
    "default_text",
    "definitions",
    "including",
    "load_values",
    "page",
    "readable_definitions",
    "required_in",
    "reset_value",
    "set_value",
]
