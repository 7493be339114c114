"""Whether forecasts came true: Brier score against that of the base rate, calibration error, and bias."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.churn.conformal import FEWEST_LEAVERS
from domain.churn.logistic import Vector

BINS = 10


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """How forecasts did. With fewer than 20 leavers nothing is measurable yet, and only the outcomes are shown."""

    n: int
    leavers: int
    outcomes: tuple[tuple[float, bool], ...]
    brier: float | None = None
    brier_of_base_rate: float | None = None
    ece: float | None = None
    bias: float | None = None

    @property
    def is_measurable(self) -> bool:
        """Whether there are enough leavers for figures."""
        return self.brier is not None


def report(probabilities: Vector, left: NDArray[np.bool_]) -> CalibrationReport:
    """Return the report of forecasts whose outcome is known."""
    n, leavers = len(left), int(left.sum())
    pairs = tuple(zip(probabilities.tolist(), left.tolist(), strict=True))
    if leavers < FEWEST_LEAVERS:
        return CalibrationReport(n, leavers, pairs)
    rate = leavers / n
    return CalibrationReport(
        n,
        leavers,
        pairs,
        brier=brier(probabilities, left),
        brier_of_base_rate=rate * (1 - rate),
        ece=calibration_error(probabilities, left),
        bias=float(probabilities.mean() - rate),
    )


def brier(probabilities: Vector, left: NDArray[np.bool_]) -> float:
    """Return the mean squared distance of probabilities from outcomes."""
    return float(np.square(probabilities - left).mean())


def log_loss(probabilities: Vector, left: NDArray[np.bool_]) -> float:
    """Return the mean surprise of the outcomes, in nats."""
    sure = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-np.where(left, np.log(sure), np.log1p(-sure)).mean())


def auc(probabilities: Vector, left: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a leaver and a stayer in which the leaver has the higher probability; ties half."""
    _, place, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n, leavers = len(left), int(left.sum())
    above = ranks[left].sum() - leavers * (leavers + 1) / 2
    return float(above / (leavers * (n - leavers)))


def calibration_error(probabilities: Vector, left: NDArray[np.bool_], *, bins: int = BINS) -> float:
    """Return the mean distance of probability and share of leavers over bins of equally many clients."""
    order = np.argsort(probabilities, kind="stable")
    return float(
        sum(
            len(part) / len(left) * abs(probabilities[part].mean() - left[part].mean())
            for part in np.array_split(order, bins)
            if len(part)
        )
    )
