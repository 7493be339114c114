"""Parameters of touchpoints: how often a client is contacted, by tier, else by activity."""

from domain.access import Right
from domain.parameters import (
    CADENCE_TIERS,
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterTier,
    ParameterUnit,
    Quantity,
)
from domain.touchpoints.model import Activity, TouchpointKind

_STRATEGIC, _CORE, _STANDARD = ParameterTier.STRATEGIC, ParameterTier.CORE, ParameterTier.STANDARD
_NEXT = "Applies to open touchpoints from the next planning on."


def _days(number: int) -> Quantity:
    return Quantity((number,), ParameterUnit.DAYS)


def _months(number: int) -> Quantity:
    return Quantity((number,), ParameterUnit.MONTHS)


def _interval(
    name: str,
    description: str,
    default: Quantity | None = None,
    tier_defaults: dict[ParameterTier, Quantity | None] | None = None,
) -> ParameterDefinition:
    return ParameterDefinition(
        name=f"touchpoints.{name}",
        description=f"{description} {_NEXT}",
        default=default,
        tier_defaults=tier_defaults or {},
        allowed=(
            AllowedRange(ParameterUnit.DAYS, 1, 730),
            AllowedRange(ParameterUnit.MONTHS, 1, 24),
        ),
        levels=OF_ACCOUNTS,
        tiers=CADENCE_TIERS,
        right=Right.READ_RELATIONSHIP,
    )


BY_KIND: dict[TouchpointKind, ParameterDefinition] = {
    TouchpointKind.FORMAL_REVIEW: _interval(
        "formal_review",
        "Time between two formal reviews with a client.",
        _months(6),
        {_STRATEGIC: _months(1), _CORE: _months(3), _STANDARD: _months(6)},
    ),
    TouchpointKind.CHECK_IN: _interval(
        "check_in",
        "Time between two check-ins with a client; without a value, the activity of the client decides.",
        None,
        {_STRATEGIC: _days(7), _CORE: _days(14), _STANDARD: None},
    ),
    TouchpointKind.SOCIAL: _interval(
        "social",
        "Time between two social meetings with a client.",
        _months(12),
        {_STRATEGIC: _months(3), _CORE: _months(6), _STANDARD: _months(12)},
    ),
}
BY_ACTIVITY: dict[Activity, ParameterDefinition] = {
    Activity.ACTIVE_PROJECT: _interval(
        "active_project", "Time between two check-ins with a client with recent work.", _days(7)
    ),
    Activity.LONG_TERM: _interval(
        "long_term",
        "Time between two check-ins with a client with work or contact in the last year.",
        _months(1),
    ),
    Activity.INACTIVE: _interval(
        "inactive", "Time between two check-ins with a client without either.", _months(3)
    ),
}
PARAMETERS = (*BY_KIND.values(), *BY_ACTIVITY.values())
