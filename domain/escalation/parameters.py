"""Parameters of escalation: when management is notified, whatever the policy is."""

from domain.parameters import AllowedRange, ParameterDefinition, ParameterUnit, Quantity

MANAGEMENT_AFTER = ParameterDefinition(
    name="escalation.management_after",
    description="Time from the opening of an incident to the notification of management, if nobody has acknowledged it"
    " or if it is critical and still open. Applies to incidents that are opened later.",
    default=Quantity((4,), ParameterUnit.HOURS),
    allowed=(
        AllowedRange(ParameterUnit.MINUTES, 5, 1_440),
        AllowedRange(ParameterUnit.HOURS, 1, 24),
    ),
)
PARAMETERS = (MANAGEMENT_AFTER,)
