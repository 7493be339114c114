"""Before and after: the difference of two windows with its interval, where partly the same people answered. Pure.

The 95 % interval is that of the partially overlapping samples t-test; below eight answers in a window the answers are
permuted, and only the direction and its probability are given. Where at least thirty answers of other clients are in
both windows, their change is subtracted (difference in differences).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import comb, sqrt
from random import Random
from statistics import fmean, variance
from typing import NamedTuple

from domain.surveys import student_quantile

FEWEST_FOR_INTERVAL = 8
"""Answers in each window below which there is no interval."""
FEWEST_OF_OTHERS = 30
"""Answers of other clients in each window from which their change is subtracted."""
FEWEST_PAIRS = 3
MOST_PERMUTATIONS = 10_000
SIGNIFICANT = 0.05

Answers = Mapping[str, float]
"""The answer of each person; anonymous ones under a key that occurs once."""


class EffectVerdict(StrEnum):
    """What the answers show; not shown does not mean that there is no effect."""

    IMPROVED = "improved"
    WORSENED = "worsened"
    NOT_SHOWN = "not_shown"


class EffectMethod(StrEnum):
    """Method by which two windows were compared."""

    OVERLAP_T = "overlap_t"
    DIFFERENCE_IN_DIFFERENCES = "difference_in_differences"
    PERMUTATION = "permutation"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MeasuredEffect:
    """The difference after less before, with its 95 % interval; no size where answers were permuted."""

    verdict: EffectVerdict
    method: EffectMethod
    n_before: int
    n_after: int
    n_both: int
    n_others: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    is_higher: bool | None = None


class _MeanChange(NamedTuple):
    """A difference of means, its variance, and the degrees of freedom of that."""

    value: float
    variance: float
    freedom: float


def measured_effect(
    before: Answers,
    after: Answers,
    others_before: Answers | None = None,
    others_after: Answers | None = None,
) -> MeasuredEffect:
    """Compare two windows of a client, and subtract the change of other clients where enough of them answered."""
    both = len(before.keys() & after.keys())
    counts = (len(before), len(after), both)
    if not before or not after:
        return MeasuredEffect(EffectVerdict.NOT_SHOWN, EffectMethod.NONE, *counts)
    change = _change(before, after)
    if min(len(before), len(after)) < FEWEST_FOR_INTERVAL or change.variance <= 0:
        return _permuted(list(before.values()), list(after.values()), counts)
    method, others = EffectMethod.OVERLAP_T, 0
    if others_before and others_after:
        n = min(len(others_before), len(others_after))
        if n >= FEWEST_OF_OTHERS:
            rest = _change(others_before, others_after)
            change, method, others = (
                _less(change, rest),
                EffectMethod.DIFFERENCE_IN_DIFFERENCES,
                n,
            )
    half = student_quantile(change.freedom) * sqrt(change.variance)
    low, high = change.value - half, change.value + half
    verdict = EffectVerdict.NOT_SHOWN
    if low > 0:
        verdict = EffectVerdict.IMPROVED
    elif high < 0:
        verdict = EffectVerdict.WORSENED
    return MeasuredEffect(
        verdict, method, *counts, others, change.value, low, high, None, change.value > 0
    )


def _change(before: Answers, after: Answers) -> _MeanChange:
    """Return the difference of means of partly the same people (partially overlapping samples t)."""
    n1, n2 = len(before), len(after)
    x, y = list(before.values()), list(after.values())
    v1 = variance(x) if n1 > 1 else 0.0
    v2 = variance(y) if n2 > 1 else 0.0
    value = fmean(y) - fmean(x)
    parts = (v1 / n1, v2 / n2)
    total = parts[0] + parts[1]
    spread = sum(part * part / (n - 1) for part, n in zip(parts, (n1, n2), strict=True) if n > 1)
    welch = total * total / spread if spread > 0 else float(max(1, n1 + n2 - 2))
    pairs = sorted(before.keys() & after.keys())
    if len(pairs) < FEWEST_PAIRS:
        return _MeanChange(value, total, welch)
    nc = len(pairs)
    r = _correlation([before[each] for each in pairs], [after[each] for each in pairs])
    shared = 2 * r * sqrt(v1 * v2) * nc / (n1 * n2)
    alone = n1 + n2 - 2 * nc
    freedom = (nc - 1) + (welch - nc + 1) * alone / (alone + 2 * nc)
    return _MeanChange(value, max(0.0, total - shared), max(1.0, freedom))


def _correlation(x: Sequence[float], y: Sequence[float]) -> float:
    a, b = fmean(x), fmean(y)
    covariance = sum((p - a) * (q - b) for p, q in zip(x, y, strict=True))
    size = sqrt(sum((p - a) ** 2 for p in x) * sum((q - b) ** 2 for q in y))
    return covariance / size if size > 0 else 0.0


def _less(own: _MeanChange, rest: _MeanChange) -> _MeanChange:
    total = own.variance + rest.variance
    spread = own.variance**2 / own.freedom + rest.variance**2 / rest.freedom
    return _MeanChange(own.value - rest.value, total, total * total / spread)


def _permuted(
    before: list[float], after: list[float], counts: tuple[int, int, int]
) -> MeasuredEffect:
    """Return the probability of a difference at least as large when the answers are shared out at random."""
    everything, n = [*before, *after], len(after)
    moved = fmean(after) - fmean(before)
    total, size = sum(everything), len(everything)

    def distance(picked: float) -> float:
        return abs(picked / n - (total - picked) / (size - n))

    edge = abs(moved) - 1e-9
    if comb(size, n) <= MOST_PERMUTATIONS:
        sums = [sum(each) for each in combinations(everything, n)]
        probability = sum(distance(each) >= edge for each in sums) / len(sums)
    else:
        # A fixed seed: the same answers always give the same probability.
        draw = Random(20_260_101)  # noqa: S311 - a permutation is no secret
        hits = sum(
            distance(sum(draw.sample(everything, n))) >= edge for _ in range(MOST_PERMUTATIONS)
        )
        probability = (hits + 1) / (MOST_PERMUTATIONS + 1)
    verdict = EffectVerdict.NOT_SHOWN
    if probability <= SIGNIFICANT and moved:
        verdict = EffectVerdict.IMPROVED if moved > 0 else EffectVerdict.WORSENED
    return MeasuredEffect(
        verdict,
        EffectMethod.PERMUTATION,
        *counts,
        probability=probability,
        is_higher=None if moved == 0 else moved > 0,
    )
