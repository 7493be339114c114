"""Parameters of replies to reviews: within how many hours of office days a review is answered."""

from domain.access import Right
from domain.parameters import (
    AllowedRange,
    ParameterDefinition,
    ParameterLevel,
    ParameterUnit,
    Quantity,
)


def _hours(name: str, what: str, number: int) -> ParameterDefinition:
    return ParameterDefinition(
        name=f"replies.{name}",
        description=f"Time in which {what} is answered. Hours from Monday to Friday without public holidays count,"
        " 24 a day. Applies to replies that are drafted later.",
        default=Quantity((number,), ParameterUnit.HOURS),
        allowed=(AllowedRange(ParameterUnit.HOURS, 1, 720),),
        levels=(ParameterLevel.TENANT,),
        right=Right.READ_RELATIONSHIP,
    )


NEGATIVE_HOURS = _hours("negative_hours", "a negative review", 24)
OTHER_HOURS = _hours("other_hours", "any other review", 48)
PARAMETERS = (NEGATIVE_HOURS, OTHER_HOURS)
