"""Parameters of recovery cases: hours from the beginning of a round to the end of each of its steps."""

from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterUnit,
    Quantity,
)
from domain.recovery.model import Size, StepKind

_HOURS: dict[Size, tuple[int, ...]] = {
    Size.SMALL: (24, 48, 120, 168, 336),
    Size.MEDIUM: (8, 24, 72, 120, 240),
    Size.MAJOR: (2, 8, 48, 72, 168),
}

STEPS: dict[Size, ParameterDefinition] = {
    size: ParameterDefinition(
        name=f"recovery.{size}_steps",
        description=f"Hours after which each step of a {size} recovery case is due, counted from the beginning of the"
        f" round: {', '.join(kind.replace('_', ' ') for kind in StepKind)}. Applies to rounds that begin later.",
        default=Quantity(hours, ParameterUnit.HOURS),
        allowed=(AllowedRange(ParameterUnit.HOURS, 1, 2_160),),
        count=len(StepKind),
        levels=OF_ACCOUNTS,
    )
    for size, hours in _HOURS.items()
}
PARAMETERS = tuple(STEPS.values())
