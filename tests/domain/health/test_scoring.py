"""The score of health: exact sums, the same as its slow twin, monotone, and never raised by silence."""

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.health.scoring import (
    EDGES,
    POINT,
    TOP,
    Ints,
    Scores,
    SignalFreshness,
    band_of,
    change,
    needed,
    score_accounts,
)
from tests.domain.health import naive
from tests.domain.health.naive import Signal

DEFAULT = [6] * 10 + [5] * 5 + [3] * 5


def drawn(accounts: int, *, seed: int = 7, lapsed: bool = True) -> tuple[Ints, Ints, Ints]:
    """Random accounts; weights are the defaults or random ones, some of them 0."""
    rng = np.random.default_rng(seed)
    states = rng.choice(4 if lapsed else 3, (accounts, 20))
    value = np.where(
        rng.random((accounts, 20)) < 0.2, 50 * POINT, rng.integers(0, TOP + 1, (accounts, 20))
    )
    weight = rng.integers(0, 101, (accounts, 20))
    weight[::2] = DEFAULT
    return value.astype(np.int64), states.astype(np.int64), weight.astype(np.int64)


def scored(signals: list[Signal]) -> Scores:
    value, state, weight = (np.array([[each[n] for each in signals]], np.int64) for n in range(3))
    return score_accounts(value, state, weight)


def test_contributions_add_up_to_the_score_of_10_000_random_accounts_to_the_millionth() -> None:
    found = score_accounts(*drawn(10_000))
    some = found.score >= 0
    assert some.sum() > 9_900
    assert (found.contribution.sum(axis=1)[some] == found.score[some]).all()
    assert (found.contribution >= 0).all()
    assert (found.contribution[~found.included] == 0).all()
    assert ((found.low <= found.high) & (found.low >= 0) & (found.high <= TOP)).all()


def test_the_kernel_gives_what_the_formulas_give() -> None:
    value, state, weight = drawn(300)
    found = score_accounts(value, state, weight)
    kinds = list(SignalFreshness)
    for row in range(len(value)):
        told = [
            (int(v), kinds[int(s)], int(w))
            for v, s, w in zip(value[row], state[row], weight[row], strict=True)
        ]
        if sum(each[1] is SignalFreshness.LAPSED and each[2] > 0 for each in told) > 5:
            continue  # the twin tries every choice of them
        slow = naive.score(told)
        assert slow == naive.Scored(
            int(found.score[row]),
            found.contribution[row].tolist(),
            int(found.coverage[row]),
            int(found.low[row]),
            int(found.high[row]),
            bool(found.is_enough[row]),
            bool(found.is_provisional[row]),
        )


@st.composite
def accounts(draw: Any) -> list[Signal]:
    whole = st.integers(0, 100).map(lambda points: points * POINT)
    value = st.one_of(whole, st.integers(0, TOP))
    state, weight = st.sampled_from(SignalFreshness), st.sampled_from([0, 1, 3, 5, 6, 100])
    size = draw(st.integers(1, 9))
    return [(draw(value), draw(state), draw(weight)) for _ in range(size)]


@given(accounts())
@settings(max_examples=300, deadline=None)
def test_random_small_accounts_give_the_twins_score(signals: list[Signal]) -> None:
    slow, fast = naive.score(signals), scored(signals)
    assert (slow.score, slow.contribution) == (int(fast.score[0]), fast.contribution[0].tolist())
    assert (slow.low, slow.high) == (int(fast.low[0]), int(fast.high[0]))


@given(accounts(), st.data())
@settings(max_examples=300, deadline=None)
def test_losing_a_signal_never_raises_the_score(signals: list[Signal], data: Any) -> None:
    """Fresh, then stale, then lapsed: the mean of what is left may not rise by silence."""
    later = {
        SignalFreshness.FRESH: SignalFreshness.STALE,
        SignalFreshness.STALE: SignalFreshness.LAPSED,
    }
    for _ in range(data.draw(st.integers(1, 4))):
        able = [n for n, each in enumerate(signals) if each[1] in later]
        if not able:
            return
        lost = data.draw(st.sampled_from(able))
        before = int(scored(signals).score[0])
        value, state, weight = signals[lost]
        signals = [*signals[:lost], (value, later[state], weight), *signals[lost + 1 :]]
        assert int(scored(signals).score[0]) <= before


@given(accounts(), st.data())
@settings(max_examples=300, deadline=None)
def test_a_higher_value_never_lowers_the_score(signals: list[Signal], data: Any) -> None:
    at = data.draw(st.integers(0, len(signals) - 1))
    value, state, weight = signals[at]
    raised = [*signals]
    raised[at] = (data.draw(st.integers(value, TOP)), state, weight)
    assert scored(raised).score[0] >= scored(signals).score[0]


@given(accounts(), accounts())
@settings(max_examples=300, deadline=None)
def test_a_change_is_the_sum_of_its_parts(first: list[Signal], second: list[Signal]) -> None:
    size = min(len(first), len(second))
    days = []
    weight = np.array([each[2] for each in second[:size]], np.int64)
    for day in (first, second):
        value = np.array([each[0] for each in day[:size]], np.int64)
        state = np.array([each[1] for each in day[:size]], np.int64)
        one = score_accounts(value[None], state[None], weight[None])
        days.append((value, state, int(one.score[0])))
    found = change(days[0], days[1], weight)
    assert found.on_common + found.coverage_change == days[1][2] - days[0][2]
    both = [
        n for n in range(size)
        if days[0][1][n] == days[1][1][n] == SignalFreshness.FRESH and weight[n] > 0
    ]  # fmt: skip
    assert set(np.flatnonzero(found.by_signal).tolist()) <= set(both)
    for n in both:
        assert (
            abs(
                found.by_signal[n]
                - weight[n] * (days[1][0][n] - days[0][0][n]) / weight[both].sum()
            )
            <= 1
        )


@given(accounts(), st.sampled_from(EDGES))
@settings(max_examples=100, deadline=None)
def test_a_counterfactual_is_the_lowest_value_that_reaches_the_band(
    signals: list[Signal], edge: int
) -> None:
    value, state, weight = (np.array([each[n] for each in signals], np.int64) for n in range(3))
    found = needed(value, state, weight, edge)

    def with_value(at: int, wanted: int) -> int:
        changed = [*signals]
        changed[at] = (wanted, SignalFreshness.FRESH, signals[at][2])
        return int(scored(changed).score[0])

    for at in range(len(signals)):
        if found[at] < 0:
            assert with_value(at, TOP) < edge or signals[at][2] == 0
        else:
            assert with_value(at, int(found[at])) >= edge
            assert found[at] == 0 or with_value(at, int(found[at]) - 1) < edge


def test_a_counterfactual_follows_the_published_formula_where_all_signals_are_fresh() -> None:
    rng = np.random.default_rng(3)
    weight = np.array(DEFAULT, np.int64)
    for _ in range(50):
        value = rng.integers(40 * POINT, 80 * POINT, 20)
        state = np.full(20, SignalFreshness.FRESH, np.int64)
        score = int(score_accounts(value[None], state[None], weight[None]).score[0])
        edge = EDGES[band_of(score) - 1]
        formula = value + (edge - score) * weight.sum() / weight
        found = needed(value, state, weight, edge)
        assert ((found >= 0) == (formula <= TOP)).all()
        # the formula's S is rounded to a millionth, hence up to half of Σw/w of difference
        assert (abs(found - formula)[found >= 0] <= weight.sum() / 3).all()


@pytest.mark.parametrize(
    ("points", "band"), [(0, 1), (39.999999, 1), (40, 2), (59.999999, 2), (60, 3), (79.999999, 3), (80, 4), (100, 4)]
)  # fmt: skip
def test_bands_begin_at_their_edges(points: float, band: int) -> None:
    assert band_of(round(points * POINT)) == band


def test_too_little_fresh_weight_is_not_enough_and_below_seventy_percent_is_provisional() -> None:
    def judged(fresh: int, weight: int = 5) -> tuple[bool, bool]:
        found = scored(
            [
                (TOP, SignalFreshness.FRESH if n < fresh else SignalFreshness.MISSING, weight)
                for n in range(20)
            ]
        )
        return bool(found.is_enough[0]), bool(found.is_provisional[0])

    assert [judged(n) for n in (7, 8, 13, 14)] == [
        (False, False),
        (True, True),
        (True, True),
        (True, False),
    ]
    four = scored([(TOP, SignalFreshness.FRESH, 25)] * 4)
    assert (int(four.coverage[0]), bool(four.is_enough[0])) == (1_000_000, False)


def test_100_000_accounts_are_scored_many_times_faster_than_by_the_twin() -> None:
    arrays = drawn(100_000)
    score_accounts(*(each[:100] for each in arrays))
    began = time.process_time()
    score_accounts(*arrays)
    fast = (time.process_time() - began) / 100_000
    kinds = list(SignalFreshness)
    value, state, weight = drawn(200, seed=8, lapsed=False)
    began = time.process_time()
    for row in range(200):
        naive.score(
            [
                (int(v), kinds[int(s)], int(w))
                for v, s, w in zip(value[row], state[row], weight[row], strict=True)
            ]
        )
    slow = (time.process_time() - began) / 200
    assert slow > 8 * fast
