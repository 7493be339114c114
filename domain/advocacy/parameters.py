"""Parameters of advocacy: how many reference calls a client is asked for in a year."""

from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterUnit,
    Quantity,
)

CALLS = ParameterDefinition(
    name="advocacy.reference_calls",
    description="Most reference calls of a client in 365 days, requested, agreed or held. 0: the client is not asked.",
    default=Quantity((4,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 52),),
    levels=OF_ACCOUNTS,
)
PARAMETERS = (CALLS,)
