"""Parameters of health: the weight of each signal, and whether clients see their score."""

from datetime import datetime

from domain.access import Right
from domain.health.registry import SIGNALS
from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
    Quantity,
)

PREFIX = "health."
WEIGHTS = tuple(
    ParameterDefinition(
        name=f"{PREFIX}weight.{signal.key}",
        description=f"Weight in the score of health of: {signal.words} 0 leaves it out.",
        default=Quantity((signal.weight,), ParameterUnit.COUNT),
        allowed=(AllowedRange(ParameterUnit.COUNT, 0, 100),),
        levels=OF_ACCOUNTS,
        right=Right.READ_RELATIONSHIP,
    )
    for signal in SIGNALS
)
SHARED = ParameterDefinition(
    name=f"{PREFIX}shared_with_client",
    description="Whether users of a client see the score of health of their account: 1 yes, 0 no.",
    default=Quantity((0,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 1),),
    levels=OF_ACCOUNTS,
    right=Right.READ_RELATIONSHIP,
)
PARAMETERS = (*WEIGHTS, SHARED)


def weights_at(values: ParameterValues, scope: ParameterScope, *, at: datetime) -> list[int]:
    """Return the weight of each signal for an account at an instant, in the order of the registry."""
    return [values.required(each, scope, at=at).number for each in WEIGHTS]
