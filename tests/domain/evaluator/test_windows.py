"""Windows and scores say what their slow twins say."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import PromiseInput, promise_columns
from domain.evaluator.kernels.compilation import kernel
from domain.evaluator.kernels.scores import (
    WEIGHTS,
    Component,
    Measured,
    changed_since,
    quality_score,
)
from domain.evaluator.kernels.sort import stable_order
from domain.evaluator.kernels.windows import (
    Decided,
    Spans,
    budget_left,
    decayed_scores,
    window_rows,
)
from tests import naive_windows as twin
from tests.domain.evaluator.examples import HOUR, MINUTE, local

DAY = 24 * HOUR
ZONE = "Europe/Amsterdam"


def columns(*parts: list[twin.Done]) -> Decided:
    """Decided parts of several promises as columns."""
    flat = [d for one in parts for d in one]
    return Decided(
        first=np.cumsum([0, *(len(one) for one in parts)]).astype(np.int64),
        row=np.arange(len(flat)),
        tau=np.array([d.tau for d in flat], np.int64),
        measure=np.array([d.measure for d in flat], np.int64),
        kept=np.array([d.kept for d in flat], np.uint8),
        quality=np.array([d.quality for d in flat], np.float64),
    )


def promised(*objectives_ppm: int) -> list[PromiseInput]:
    return [
        PromiseInput(PromiseClass.FLOW, (HOUR,) * 4, objective_ppm=ppm) for ppm in objectives_ppm
    ]


def spans_of(windows: Sequence[tuple[str, int, int]]) -> Spans:
    """The twin's windows, which come by kind and time, as columns."""
    kinds = list(dict.fromkeys(kind for kind, _, _ in windows))
    kind = np.array([kinds.index(kind) for kind, _, _ in windows], np.int64)
    until_us = np.array([until for _, _, until in windows], np.int64)
    ends_us, end = np.unique(until_us, return_inverse=True)
    return Spans(
        kind=kind.astype(np.uint8),
        kind_first=np.searchsorted(kind, np.arange(len(kinds) + 1)).astype(np.int64),
        from_us=np.array([since for _, since, _ in windows], np.int64),
        until_us=until_us,
        end=end.astype(np.int64),
        ends_us=ends_us,
    )


def history(within_us: int, most: int) -> st.SearchStrategy[list[twin.Done]]:
    """Decided parts around the autumn change of clocks, at instants that often coincide."""
    start = local(2026, 10, 20)
    part = st.builds(
        twin.Done,
        tau=st.integers(0, within_us // (5 * MINUTE)).map(lambda i: start + i * 5 * MINUTE),
        measure=st.integers(0, 200).map(lambda i: i * MINUTE),
        kept=st.booleans(),
        quality=st.sampled_from([0.0, 0.25, 0.9, 1.0]),
    )
    return st.lists(part, max_size=most).map(lambda parts: sorted(parts, key=lambda d: d.tau))


@settings(max_examples=60, deadline=None)
@given(
    one=history(80 * DAY, 40),
    other=history(3 * DAY, 150),
    objectives=st.tuples(*[st.sampled_from([0, 900_000, 990_001, 1_000_000])] * 2),
    year_starts=st.sampled_from([date(2020, 1, 1), date(2024, 2, 29), date(2025, 11, 5)]),
)
def test_windows_agree_with_their_twin(
    one: list[twin.Done],
    other: list[twin.Done],
    objectives: tuple[int, int],
    year_starts: date,
) -> None:
    at = max([local(2026, 10, 20, 7, 30), *(d.tau for d in one + other)])
    first = local(2026, 10, 20)
    windows = twin.all_windows(ZONE, first, at, year_starts)
    spans = spans_of(windows)

    rows = window_rows(columns(one, other), promise_columns(promised(*objectives)), spans, 0, 2)

    for p, done in enumerate((one, other)):
        expected = twin.answers(done, windows, objectives[p])
        mine = rows.promise == p
        span = rows.span[mine]
        assert [
            (*windows[s], *row)
            for s, *row in zip(
                span.tolist(),
                *(column[mine].tolist() for column in rows[2:8]),
                strict=True,
            )
        ] == [answer[:9] for answer in expected]
        for name, column in (("ratio", 8), ("wilson", 9), ("budget", 10), ("score", 11)):
            assert rows[column][mine] == pytest.approx(
                np.array([getattr(answer, name) for answer in expected]), rel=1e-9, abs=1e-9
            )


def test_an_exactly_spent_budget_is_exactly_zero() -> None:
    assert budget_left(3, 60, 950_000) == 0.0
    assert budget_left(0, 60, 1_000_000) == 1.0
    assert budget_left(1, 60, 1_000_000) == -np.inf


def test_a_score_does_not_break_in_a_century_of_silence() -> None:
    taus = np.array([0, 100 * 366 * DAY], np.int64)
    ends = np.array([1, 50 * 366 * DAY, 100 * 366 * DAY, 100 * 366 * DAY + 1], np.int64)

    scores = decayed_scores(taus, np.array([0.25, 1.0]), ends)

    assert scores[:3].tolist() == [0.25, 0.25, 0.25]
    assert scores[3] == pytest.approx(1.0, abs=1e-9)


@kernel
def _ordered(keys: np.ndarray) -> np.ndarray:
    return stable_order(keys)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(0, 300),
    width=st.sampled_from([1, 2, 50, 2**11, 2**40, 2**62]),
)
def test_the_order_is_the_stable_one(seed: int, size: int, width: int) -> None:
    keys = np.random.default_rng(seed).integers(-width, width, size)

    assert _ordered(keys).tolist() == np.argsort(keys, kind="stable").tolist()


measured = st.builds(Measured, score=st.floats(0, 1), n=st.integers(0, 30))


@given(
    found=st.dictionaries(st.sampled_from(Component), measured),
    weights=st.fixed_dictionaries({c: st.integers(0, 30) for c in Component}).filter(
        lambda w: any(w.values())
    ),
)
def test_contributions_sum_to_the_score_exactly(
    found: dict[Component, Measured], weights: dict[Component, int]
) -> None:
    quality = quality_score(found, weights)

    present = [c for c in found if found[c].n and weights[c]]
    n = sum(found[c].n for c in present)
    weighed = sum(weights[c] for c in present)
    enough = weighed * 10 >= 3 * sum(weights.values()) and n >= 5
    assert (quality.points_e6 is not None) == enough
    if quality.points_e6 is not None:
        exact = sum(
            (100 * weights[c] * Fraction(found[c].score) / weighed for c in present), Fraction(0)
        )
        assert sum(quality.contributions_e6.values()) == quality.points_e6
        assert abs(Fraction(quality.points_e6, 10**6) - exact) <= Fraction(1, 2 * 10**6)


def test_a_score_tells_its_change_and_refuses_nonsense() -> None:
    everything = {c: Measured(0.5, 3) for c in Component}
    before = quality_score(everything)

    after = changed_since(quality_score({c: Measured(0.75, 3) for c in Component}), before)

    assert (before.points_e6, after.points_e6, after.change_e6) == (
        50 * 10**6,
        75 * 10**6,
        25 * 10**6,
    )
    assert sum(WEIGHTS.values()) == 100
    with pytest.raises(ValueError, match="scores lie within"):
        quality_score({Component.AUDIT: Measured(1.5, 3)})
    with pytest.raises(ValueError, match="not all 0"):
        quality_score(everything, dict.fromkeys(Component, 0))
