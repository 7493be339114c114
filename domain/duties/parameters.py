"""Parameters of duties: how long a device may be silent, and how long a guard may be away. Pinned with each duty."""

from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity

_ALLOWED = (
    AllowedRange(ParameterUnit.SECONDS, 30, 86_400),
    AllowedRange(ParameterUnit.MINUTES, 1, 1_440),
)

SILENT_AFTER = ParameterDefinition(
    name="duties.silent_after",
    description="Time without a position after which a device counts as silent, where the duty does not say it."
    " Applies to duties that begin later and are entered later.",
    default=Quantity((300,), ParameterUnit.SECONDS),
    allowed=_ALLOWED,
)
GRACE = ParameterDefinition(
    name="duties.grace",
    description="Time that a guard may take to reach the site, or be away from it, before counting as absent, where"
    " the duty does not say it. Applies to duties that begin later and are entered later.",
    default=Quantity((900,), ParameterUnit.SECONDS),
    allowed=_ALLOWED,
)
PARAMETERS = (SILENT_AFTER, GRACE)
