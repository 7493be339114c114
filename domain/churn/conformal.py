"""Sets of possible outcomes that hold the true one nine times in ten, for leavers and for stayers alike.

Mondrian split conformal prediction: one threshold per class, from outcomes that the model has not seen. A set with both
outcomes is a "cannot say"; so is an empty one, which means that the client resembles nobody seen so far.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from domain.churn.logistic import Vector

ALPHA = 0.1
FEWEST_LEAVERS = 20
"""Leavers below which there are too few outcomes for thresholds."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Largest distance from certainty at which an outcome is still possible, by class."""

    leaves: float
    stays: float
    leavers: int

    def possible(self, probability: float) -> tuple[bool, bool]:
        """Return whether leaving is possible, and whether staying is."""
        return 1 - probability <= self.leaves, probability <= self.stays


@dataclass(frozen=True, slots=True)
class Coverage:
    """How sets did on outcomes that neither the model nor the thresholds have seen."""

    leavers: float
    stayers: float
    abstains: float
    right: float


def thresholds_of(
    probabilities: Vector, left: NDArray[np.bool_], *, alpha: float = ALPHA
) -> Thresholds | None:
    """Return the thresholds of calibrated outcomes; None with fewer than 20 leavers."""
    leavers = int(left.sum())
    if leavers < FEWEST_LEAVERS or leavers == len(left):
        return None
    return Thresholds(
        _quantile(1 - probabilities[left], alpha), _quantile(probabilities[~left], alpha), leavers
    )


def cover(thresholds: Thresholds, probabilities: Vector, left: NDArray[np.bool_]) -> Coverage:
    """Count how often sets hold the outcome, by class, and how often they decide and are right."""
    leaves = 1 - probabilities <= thresholds.leaves
    stays = probabilities <= thresholds.stays
    decides = leaves != stays
    return Coverage(
        leavers=float(leaves[left].mean()),
        stayers=float(stays[~left].mean()),
        abstains=float(1 - decides.mean()),
        right=float((leaves == left)[decides].mean()) if decides.any() else float("nan"),
    )


def _quantile(distances: Vector, alpha: float) -> float:
    """Return the smallest distance that holds ⌈(n+1)(1−α)⌉ of n; infinite with too few."""
    rank = ceil((len(distances) + 1) * (1 - alpha))
    if rank > len(distances):
        return float("inf")
    return float(np.sort(distances)[rank - 1])
