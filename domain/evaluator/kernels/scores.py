"""The quality score: the contribution of each component, exact to the last digit shown."""

import math
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

LEAST_COVERAGE_PPM = 300_000
LEAST_UNITS = 5
PPM = 1_000_000


class Component(StrEnum):
    """Component of the quality score."""

    PUNCTUALITY = "punctuality"
    COVERAGE = "coverage"
    PATROL = "patrol"
    INCIDENTS = "incidents"
    REPORTS = "reports"
    AUDIT = "audit"
    RATING = "rating"


WEIGHTS: Mapping[Component, int] = dict(zip(Component, (20, 20, 15, 20, 10, 5, 10), strict=True))


class Measured(NamedTuple):
    """The time-decayed mean quality of one component, and the number of its parts."""

    score: float  # 0..1
    n: int


class Quality(NamedTuple):
    """A score in millionths of a point, or the reason there is none.

    Integers, so that the contributions sum to the score exactly, in whatever order they are added.
    """

    points_e6: int | None  # 0..100,000,000; None: insufficient data
    contributions_e6: Mapping[Component, int]  # empty when there is no score
    coverage_ppm: int  # share of the weight that has data
    n: int
    change_e6: int | None  # since the previous window; None when either has no score


def quality_score(
    measured: Mapping[Component, Measured],
    weights: Mapping[Component, int] = WEIGHTS,
) -> Quality:
    """Return Q = 100 · Σ w·s / Σ w over the components that have data (n > 0)."""
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        raise ValueError(f"weights are at least 0 and not all 0: {dict(weights)}")
    present = {
        c: measured[c] for c in Component if c in measured and measured[c].n and weights.get(c, 0)
    }
    if not all(0 <= found.score <= 1 for found in present.values()):
        raise ValueError(f"scores lie within 0..1: {present}")
    weighed = sum(weights[c] for c in present)
    coverage_ppm = weighed * PPM // sum(weights.values())
    n = sum(found.n for found in present.values())
    if coverage_ppm < LEAST_COVERAGE_PPM or n < LEAST_UNITS:
        return Quality(None, {}, coverage_ppm, n, None)
    exact = {
        c: 100 * PPM * weights[c] * Fraction(found.score) / weighed for c, found in present.items()
    }
    points = math.floor(sum(exact.values(), Fraction(1, 2)))
    contributions = {c: math.floor(share) for c, share in exact.items()}
    by_remainder = sorted(exact, key=lambda c: contributions[c] - exact[c])
    for c in by_remainder[: points - sum(contributions.values())]:
        contributions[c] += 1
    return Quality(points, contributions, coverage_ppm, n, None)


def changed_since(quality: Quality, previous: Quality | None) -> Quality:
    """Add the change since the previous window's score; None when either has no score."""
    before = previous.points_e6 if previous else None
    if before is None or quality.points_e6 is None:
        return quality
    return quality._replace(change_e6=quality.points_e6 - before)
