"""Parameters of the rules by which the system opens incidents; 0 switches a rule off."""

from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity

NO_SHOWS = ParameterDefinition(
    name="watch_rules.no_shows",
    description="Whether the system opens an incident for a no-show: 1 for yes, 0 for no.",
    default=Quantity((1,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 1),),
)
MISSED_POINTS = ParameterDefinition(
    name="watch_rules.missed_points",
    description="Number of points missed in one round of a patrol from which the system opens an incident; 0: never.",
    default=Quantity((1,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 1_000),),
)
SILENT_FOR = ParameterDefinition(
    name="watch_rules.silent_for",
    description="Time for which a device on duty is silent after which the system opens an incident; 0: never.",
    default=Quantity((15,), ParameterUnit.MINUTES),
    allowed=(AllowedRange(ParameterUnit.MINUTES, 0, 1_440),),
)
EXPIRY_AHEAD = ParameterDefinition(
    name="watch_rules.expiry_ahead",
    description="Days before a published shift in which the system opens an incident when a required qualification"
    " or the pass of its guard expires before it; 0: never.",
    default=Quantity((7,), ParameterUnit.DAYS),
    allowed=(AllowedRange(ParameterUnit.DAYS, 0, 60),),
)
PARAMETERS = (NO_SHOWS, MISSED_POINTS, SILENT_FOR, EXPIRY_AHEAD)
