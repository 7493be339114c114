"""Slow twin of the scoring: one account, fractions, written down as the formulas say."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, combinations
from typing import NamedTuple

from domain.health.scoring import CEILING, POINT, SignalFreshness

Signal = tuple[int, SignalFreshness, int]  # value, state, weight


class Scored(NamedTuple):
    """What the kernel returns, of one account."""

    score: int
    contribution: list[int]
    coverage: int
    low: int
    high: int
    is_enough: bool
    is_provisional: bool


def rounded(number: Fraction) -> int:
    return round(number)  # of a Fraction: halves to the even one


def score(signals: Sequence[Signal]) -> Scored:
    counted = [
        (at, value if state is SignalFreshness.FRESH else min(value, CEILING), weight, state)
        for at, (value, state, weight) in enumerate(signals)
        if weight > 0 and state is not SignalFreshness.MISSING
    ]
    must = [each for each in counted if each[3] in (SignalFreshness.FRESH, SignalFreshness.STALE)]
    may = [each for each in counted if each[3] is SignalFreshness.LAPSED]
    choices = chain.from_iterable(combinations(may, n) for n in range(len(may) + 1))
    means = [
        (Fraction(sum(w * v for _, v, w, _ in chosen), sum(w for _, _, w, _ in chosen)), chosen)
        for extra in choices
        if (chosen := [*must, *extra])
    ]
    whole = max(1, sum(weight for _value, _state, weight in signals))
    fresh = [each for each in must if each[3] is SignalFreshness.FRESH]
    known = sum(weight for _, _, weight, _ in fresh)
    sure = Fraction(sum(v * w for _, v, w, _ in fresh), whole)
    coverage = Fraction(known, whole)
    enough = coverage >= Fraction(2, 5) and len(fresh) >= 5
    bounds = rounded(sure), rounded(sure + 100 * POINT * (1 - coverage))
    more = rounded(1_000_000 * coverage), *bounds, enough, enough and coverage < Fraction(7, 10)
    if not means:
        return Scored(-1, [0] * len(signals), *more)
    best = min(mean for mean, _chosen in means)
    # of equal means the smallest choice: a signal at the mean itself changes nothing
    chosen = min((each for mean, each in means if mean == best), key=len)
    total = rounded(best)
    divisor = sum(weight for _, _, weight, _ in chosen)
    exact = {at: Fraction(value * weight, divisor) for at, value, weight, _ in chosen}
    parts = [int(exact.get(at, Fraction(0))) for at in range(len(signals))]
    by_rest = sorted(
        range(len(signals)), key=lambda at: (parts[at] - exact.get(at, Fraction(0)), at)
    )
    for at in by_rest[: total - sum(parts)]:
        parts[at] += 1
    return Scored(total, parts, *more)
