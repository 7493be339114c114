"""Parameters of the RAID log: how often risks and actions are reviewed."""

from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterUnit,
    Quantity,
)
from domain.raid.model import RaidKind


def _interval(kind: RaidKind, days: int) -> ParameterDefinition:
    return ParameterDefinition(
        name=f"raid.{kind}_review",
        description=f"Time between two reviews of an open {kind} in the RAID log. Applies from the next review on.",
        default=Quantity((days,), ParameterUnit.DAYS),
        allowed=(AllowedRange(ParameterUnit.DAYS, 1, 366),),
        levels=OF_ACCOUNTS,
    )


INTERVALS = {
    RaidKind.RISK: _interval(RaidKind.RISK, 7),
    RaidKind.ACTION: _interval(RaidKind.ACTION, 1),
}
"""Kinds that are reviewed again and again; an issue and a decision are reviewed when they are raised."""
PARAMETERS = tuple(INTERVALS.values())
