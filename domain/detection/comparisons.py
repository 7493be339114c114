"""Falls of scores: the last 90 days against the year before, over all series that a company watches.

A score brings its own interval (Wilson for shares, adjusted Wald for NPS) as a function of the normal quantile, so this
module knows no formula of a score. The false discovery rate over the series is held by Benjamini and Hochberg's rule.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

Z95 = 1.959963984540054
NEW_DAYS, YEAR_DAYS = 90, 365
"""Days of the newer window and of the one before it."""
FEWEST = 5
"""Answers that each window needs."""
FALSE_SHARE = 0.1
"""Share of false alarms among the falls that are reported (q)."""
_LARGEST_Z = 40.0


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """A score of a window; `bounds` gives its interval at a normal quantile."""

    n: int
    value: float
    bounds: Callable[[float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """The windows of one series; one that is missing had no answers."""

    before: ScoredWindow | None
    after: ScoredWindow | None


@dataclass(frozen=True, slots=True)
class Fall(Generic[Key]):
    """A series whose score fell by more than chance explains."""

    key: Key
    before: float
    after: float
    low: float
    high: float
    z: float
    probability: float


def falls(compared: Mapping[Key, ComparedScore], *, share: float = FALSE_SHARE) -> list[Fall[Key]]:
    """Return the series that fell: 95 % apart, and kept by the rule over all series with enough answers."""
    tested = [fall for key, each in compared.items() if (fall := _compare(key, each)) is not None]
    tested.sort(key=lambda each: each.probability)
    kept = 0
    for rank, each in enumerate(tested, 1):
        if each.probability <= share * rank / len(tested):
            kept = rank
    return [each for each in tested[:kept] if each.high < 0]


def _compare(key: Key, each: ComparedScore) -> Fall[Key] | None:
    """Return the change of a series with its two-sided probability; None with too few answers."""
    before, after = each.before, each.after
    if before is None or after is None or before.n < FEWEST or after.n < FEWEST:
        return None
    low, high = _difference(before, after, Z95)
    z = _distance(before, after)
    return Fall(key, before.value, after.value, low, high, z, erfc(abs(z) / sqrt(2)))


def _difference(before: ScoredWindow, after: ScoredWindow, z: float) -> tuple[float, float]:
    """Return the interval of the change: distances to the bounds of both windows are squared and added."""
    (b_low, b_high), (a_low, a_high) = before.bounds(z), after.bounds(z)
    moved = after.value - before.value
    low = sqrt((after.value - a_low) ** 2 + (b_high - before.value) ** 2)
    high = sqrt((a_high - after.value) ** 2 + (before.value - b_low) ** 2)
    return moved - low, moved + high


def _distance(before: ScoredWindow, after: ScoredWindow) -> float:
    """Return the quantile at which the interval of the change just reaches zero, with the sign of the change."""
    moved = after.value - before.value
    if moved == 0:
        return 0.0
    low, high = 0.0, _LARGEST_Z
    for _ in range(60):
        middle = (low + high) / 2
        bounds = _difference(before, after, middle)
        low, high = (middle, high) if bounds[0] > 0 or bounds[1] < 0 else (low, middle)
    return low if moved > 0 else -low
