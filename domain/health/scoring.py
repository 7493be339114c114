"""Score accounts from the values of their signals: whole arrays, exact integers, values in, values out.

Values and scores are in millionths of a point (0 to 100,000,000), shares in millionths. Docs: `docs/health.md`.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
POINT = 1_000_000
"""One point of a value or a score."""
TOP = 100 * POINT
ONE = 1_000_000
"""The whole of a share."""
CEILING = 50 * POINT
"""The most that a signal without new facts counts for."""
EDGES = (40 * POINT, 60 * POINT, 80 * POINT)
"""Lowest scores of the bands 2, 3 and 4."""
FEWEST_FRESH = 5
LEAST_COVERAGE = 40
FIRM_COVERAGE = 70
"""Percent of the weight that must be fresh for a score, and for one that is not provisional."""


class SignalFreshness(IntEnum):
    """How recent the facts behind a signal's value are."""

    MISSING = 0  # it never had enough facts
    FRESH = 1
    STALE = 2  # no longer enough facts in its window: counts for 50 points at most
    LAPSED = (
        3  # stale for more than 180 days: counts only where leaving it out would raise the score
    )


class Scores(NamedTuple):
    """Scores of accounts, one row each; the columns of `contribution` and `included` are the signals."""

    score: Ints  # -1 where no signal counts
    contribution: Ints
    included: NDArray[np.bool_]
    coverage: Ints  # share of the weight that is fresh
    low: Ints
    high: Ints
    fresh: Ints  # number of fresh signals
    is_enough: NDArray[np.bool_]
    is_provisional: NDArray[np.bool_]


def score_accounts(value: Ints, state: Ints, weight: Ints) -> Scores:
    """Score accounts: all arrays are (accounts, signals), weights are whole numbers up to 100, 0 for none."""
    fresh = (state == SignalFreshness.FRESH) & (weight > 0)
    stale = (state == SignalFreshness.STALE) & (weight > 0)
    capped = np.where(fresh, value, np.minimum(value, CEILING))
    weighted = weight * capped
    included = fresh | stale
    lapsed = (state == SignalFreshness.LAPSED) & (weight > 0)
    if lapsed.any():
        included = included | _lowering(capped, weight, included, lapsed)
    total = np.where(included, weighted, 0).sum(axis=1)
    weights = np.where(included, weight, 0).sum(axis=1)
    divisor = np.maximum(weights, 1)
    score = half_even(total, divisor)
    contribution = shares(np.where(included, weighted, 0), divisor, score)
    known = np.where(fresh, weight, 0).sum(axis=1)
    whole = np.maximum(weight.sum(axis=1), 1)
    sure = np.where(fresh, weighted, 0).sum(axis=1)
    count = fresh.sum(axis=1)
    is_enough = (count >= FEWEST_FRESH) & (100 * known >= LEAST_COVERAGE * whole)
    return Scores(
        np.where(weights > 0, score, -1),
        contribution,
        included,
        half_even(ONE * known, whole),
        half_even(sure, whole),
        half_even(sure + (whole - known) * TOP, whole),
        count,
        is_enough,
        is_enough & (100 * known < FIRM_COVERAGE * whole),
    )


def _lowering(
    value: Ints, weight: Ints, included: NDArray[np.bool_], lapsed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Select the lapsed signals that lower the mean: the lowest first, as long as each is below the mean so far."""
    after = np.where(lapsed, value, TOP + 1)
    order = np.argsort(after, axis=1, kind="stable")
    sorted_value = np.take_along_axis(after, order, axis=1)
    sorted_weight = np.take_along_axis(np.where(lapsed, weight, 0), order, axis=1)
    totals = np.where(included, weight * value, 0).sum(axis=1, keepdims=True)
    weights = np.where(included, weight, 0).sum(axis=1, keepdims=True)
    gained = np.where(sorted_weight > 0, sorted_weight * sorted_value, 0)
    before = totals + np.cumsum(gained, axis=1) - gained
    borne = weights + np.cumsum(sorted_weight, axis=1) - sorted_weight
    below = (sorted_weight > 0) & ((borne == 0) | (sorted_value * borne < before))
    taken = np.zeros_like(below)
    np.put_along_axis(taken, order, np.logical_and.accumulate(below, axis=1), axis=1)
    found: NDArray[np.bool_] = taken
    return found


def half_even(number: Ints, divisor: Ints) -> Ints:
    """Divide whole numbers by positive ones, to the nearest whole number, halves to the even one."""
    quotient, rest = np.divmod(number, divisor)
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    found: Ints = quotient + up
    return found


def shares(parts: Ints, divisor: Ints, total: Ints) -> Ints:
    """Divide the parts of each row so that they add up to `total`: the largest remainders are rounded up."""
    quotient, rest = np.divmod(parts, divisor[:, None])
    missing = total - quotient.sum(axis=1)
    rank = np.empty_like(rest)
    places = np.broadcast_to(np.arange(parts.shape[1]), parts.shape)
    np.put_along_axis(rank, np.argsort(-rest, axis=1, kind="stable"), places, axis=1)
    found: Ints = quotient + (rank < missing[:, None])
    return found


def band_of(score: int) -> int:
    """Return the index of the band of a score: 4 from 80 points, 3 from 60, 2 from 40, else 1."""
    return 1 + sum(score >= edge for edge in EDGES)


class ScoreChange(NamedTuple):
    """Change of a score: what each signal that is fresh on both days moved, and the rest; together the change."""

    by_signal: Ints
    coverage_change: int
    common: int  # share of the weight that is fresh on both days

    @property
    def on_common(self) -> int:
        """The change on the common signals."""
        return int(self.by_signal.sum())


def change(
    before: tuple[Ints, Ints, int], after: tuple[Ints, Ints, int], weight: Ints
) -> ScoreChange:
    """Split the change between two days, each given by values, states and score, by the later day's weights."""
    (old, old_state, old_score), (new, new_state, new_score) = before, after
    common = (
        (old_state == SignalFreshness.FRESH) & (new_state == SignalFreshness.FRESH) & (weight > 0)
    )
    used = np.where(common, weight, 0)
    divisor = np.maximum(used.sum(keepdims=True), 1)
    parts = (used * (new - old))[None, :]
    moved = shares(parts, divisor, half_even(parts.sum(axis=1), divisor))[0]
    whole = np.maximum(weight.sum(keepdims=True), 1)
    share = int(half_even(ONE * used.sum(keepdims=True), whole)[0])
    return ScoreChange(moved, new_score - old_score - int(moved.sum()), share)


def needed(value: Ints, state: Ints, weight: Ints, edge: int) -> Ints:
    """Return for each signal of one account the lowest fresh value with which the score reaches `edge`; -1 for none.

    Found by bisection on the score itself, so it holds to the millionth.
    """
    signals = np.arange(value.size)

    def reached(wanted: Ints) -> NDArray[np.bool_]:
        values, states = (np.repeat(each[None, :], value.size, axis=0) for each in (value, state))
        values[signals, signals], states[signals, signals] = wanted, SignalFreshness.FRESH
        weights = np.repeat(weight[None, :], value.size, axis=0)
        return score_accounts(values, states, weights).score >= edge

    low, high = np.zeros_like(value), np.full_like(value, TOP)
    possible = reached(high) & (weight > 0)
    while (low < high).any():
        middle = (low + high) // 2
        enough = reached(middle)
        low, high = np.where(enough, low, middle + 1), np.where(enough, middle, high)
    return np.where(possible, low, -1)
