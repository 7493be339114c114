"""Parameters of health: the weight and the curve of each signal, and whether clients see their score."""

from datetime import datetime

from domain.access import Right
from domain.health.curves import Curve
from domain.health.registry import SIGNALS, SignalPolicy
from domain.health.signals import Signal
from domain.parameters import (
    OF_ACCOUNTS,
    AllowedRange,
    ParameterDefinition,
    ParameterScope,
    ParameterUnit,
    ParameterValues,
    Quantity,
)

PREFIX = "health."
WEIGHTS = tuple(
    ParameterDefinition(
        name=f"{PREFIX}weight.{signal.key}",
        description=f"Weight in the score of health of: {signal.words} 0 leaves it out.",
        default=Quantity((signal.weight,), ParameterUnit.COUNT),
        allowed=(AllowedRange(ParameterUnit.COUNT, 0, 100),),
        levels=OF_ACCOUNTS,
        right=Right.READ_RELATIONSHIP,
    )
    for signal in SIGNALS
)
THOUSAND = 1_000
HIGHEST = 10_000_000
"""Largest figure of a point of a curve, in thousandths."""


def _range(signal: Signal) -> AllowedRange:
    """Return the figures that a signal can have: shares to 1, a tone from -1 to 1, others from 0."""
    low, high = {"tone": (-THOUSAND, THOUSAND), "share": (0, 2 * THOUSAND)}.get(
        signal.unit, (0, HIGHEST)
    )
    return AllowedRange(ParameterUnit.THOUSANDTHS, low, high)


def _values(signal: Signal) -> str:
    return ", ".join(f"{value:g}" for _figure, value in signal.curve.points)


CURVES = tuple(
    ParameterDefinition(
        name=f"{PREFIX}curve.{signal.key}",
        description=(
            f"Figures, in thousandths of its unit ({signal.unit}), that have the values {_values(signal)} in the "
            f"score of health: {signal.words}"
        ),
        default=Quantity(
            tuple(round(figure * THOUSAND) for figure, _value in signal.curve.points),
            ParameterUnit.THOUSANDTHS,
        ),
        allowed=(_range(signal),),
        count=len(signal.curve.points),
        levels=OF_ACCOUNTS,
        right=Right.READ_RELATIONSHIP,
    )
    for signal in SIGNALS
)
SHARED = ParameterDefinition(
    name=f"{PREFIX}shared_with_client",
    description="Whether users of a client see the score of health of their account: 1 yes, 0 no.",
    default=Quantity((0,), ParameterUnit.COUNT),
    allowed=(AllowedRange(ParameterUnit.COUNT, 0, 1),),
    levels=OF_ACCOUNTS,
    right=Right.READ_RELATIONSHIP,
)
PARAMETERS = (*WEIGHTS, *CURVES, SHARED)


def policies_at(
    values: ParameterValues, scope: ParameterScope, *, at: datetime
) -> list[SignalPolicy]:
    """Return how each signal counts for an account at an instant, in the order of the registry."""
    found = []
    for signal, weight, curve in zip(SIGNALS, WEIGHTS, CURVES, strict=True):
        weighed, bent = (values.effective(each, scope, at=at) for each in (weight, curve))
        figures = () if bent.quantity is None else bent.quantity.numbers
        points = (
            (figure / THOUSAND, value)
            for figure, (_figure, value) in zip(figures, signal.curve.points, strict=True)
        )
        found.append(
            SignalPolicy(
                signal.weight if weighed.quantity is None else weighed.quantity.number,
                Curve(tuple(points)),
                weighed.level,
                bent.level,
            )
        )
    return found
