"""Parameters of promises: how long clocks may be paused, and when a promise warns. Pinned when a unit begins."""

from datetime import timedelta

from domain.evaluator.kernels.batch import WARN_PPM
from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity
from domain.promises.pause_limit import PAUSE_ALLOWANCE

PPM_A_PERCENT = 10_000
DEFAULT_WARNINGS = tuple(ppm // PPM_A_PERCENT for ppm in WARN_PPM)

PAUSES = ParameterDefinition(
    name="promises.pause_allowance",
    description="Total duration of the pauses of an incident, after which its clocks continue. Applies to incidents"
    " that are opened later; imported ones have the default.",
    default=Quantity((PAUSE_ALLOWANCE // timedelta(hours=1),), ParameterUnit.HOURS),
    allowed=(AllowedRange(ParameterUnit.HOURS, 0, 720),),
    right=None,
)
WARNINGS = ParameterDefinition(
    name="promises.warnings",
    description="Shares of a promise's time at which it warns for the first, second and third time, before it is late."
    " Applies to units that begin later; imported ones have the default.",
    default=Quantity(DEFAULT_WARNINGS, ParameterUnit.PERCENT),
    allowed=(AllowedRange(ParameterUnit.PERCENT, 1, 99),),
    count=len(DEFAULT_WARNINGS),
)
PARAMETERS = (PAUSES, WARNINGS)
