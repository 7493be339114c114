"""Parameters of welfare checks. Pinned with each watch."""

from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity

CHECK_EVERY = ParameterDefinition(
    name="lone_workers.check_every",
    description="Time between two welfare checks of a guard who works alone. Applies to checks that start later.",
    default=Quantity((30,), ParameterUnit.MINUTES),
    allowed=(AllowedRange(ParameterUnit.MINUTES, 1, 480),),
)
CHECK_GRACE = ParameterDefinition(
    name="lone_workers.check_grace",
    description="Time after a welfare check is due from which it counts as missed. Applies to checks that start later.",
    default=Quantity((5,), ParameterUnit.MINUTES),
    allowed=(AllowedRange(ParameterUnit.MINUTES, 0, 60),),
)
PARAMETERS = (CHECK_EVERY, CHECK_GRACE)
