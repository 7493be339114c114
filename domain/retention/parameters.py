"""Parameters of forecasts."""

from domain.access import Right
from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterUnit,
    Quantity,
)

THRESHOLD = ParameterDefinition(
    name="churn.threshold",
    description="Probability of leaving within 180 days from which on a published forecast raises CHURN_SIGNS.",
    default=Quantity((25,), ParameterUnit.PERCENT),
    allowed=(AllowedRange(ParameterUnit.PERCENT, 1, 99),),
    levels=OF_ACCOUNTS,
    right=Right.READ_RELATIONSHIP,
)
PARAMETERS = (THRESHOLD,)
