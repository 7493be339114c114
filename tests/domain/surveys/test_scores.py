"""Scores: exact values, intervals that cover, codes that never count, and weights."""

from collections.abc import Callable, Sequence
from itertools import product
from math import lgamma, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain import surveys
from domain.surveys import Estimate, IntervalMethod, QuestionKind, ScoreKind
from domain.surveys.scores import nps_interval, student_quantile, wilson

SIZES = (5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 17, 20, 25, 30, 40, 50, 60)
PARTS = (0, 0.01, 0.03, 0.05, 0.1, 0.13, 0.3, 0.35, 0.4, 0.5, 0.53, 0.7, 0.85, 0.9, 0.97, 1)
TRUTHS = [(p, d) for p, d in product(PARTS, PARTS) if p + d <= 1]


def scored(
    kind: QuestionKind,
    values: Sequence[float | None],
    weights: Sequence[float] | None = None,
    fewest: int = 5,
) -> tuple[surveys.SurveyScore, Estimate]:
    """Return the score of some answers, which are enough for an estimate."""
    found = surveys.score(kind, surveys.tally_of(values, weights), fewest=fewest)
    assert found is not None
    assert found.estimate is not None
    return found, found.estimate


def test_nps_is_promoters_less_detractors() -> None:
    found, estimate = scored(QuestionKind.NPS, [10, 9, 8, 7, 6, 0, 10, 10])
    assert (found.kind, found.n, estimate.value) == (ScoreKind.NPS, 8, 25.0)
    assert found.method is IntervalMethod.ADJUSTED_WALD


def test_codes_outside_the_scale_never_count() -> None:
    answers: Sequence[float | None] = [10.0] * 6 + [3.0] * 4
    clean = scored(QuestionKind.NPS, answers)
    coded = scored(QuestionKind.NPS, [*answers, 11, 99, -1, None, float("nan")])
    assert (coded[0].excluded, coded[0].n) == (3, 10)
    assert coded[1] == clean[1]


def test_csat_is_the_share_of_fours_and_fives_and_of_yes() -> None:
    rated, share = scored(QuestionKind.RATING, [5, 4, 3, 2, 1, 5, 4, 4, 4, 5])
    assert (rated.kind, share.value) == (ScoreKind.CSAT, 70.0)
    assert scored(QuestionKind.YES_NO, [1, 1, 1, 0], fewest=1)[1].value == 75.0


def test_effort_is_a_mean_with_students_interval() -> None:
    _, estimate = scored(QuestionKind.CES, [5, 6, 7, 4, 6])
    half = 2.7764451051977987 * sqrt(1.3 / 5)  # t for 4 degrees of freedom, variance 1.3
    assert estimate.value == pytest.approx(5.6)
    assert estimate.low == pytest.approx(5.6 - half)
    assert estimate.high == 7  # clipped: 5.6 + 1.416 is above the scale
    assert half == pytest.approx(1.4157, abs=1e-4)
    assert scored(QuestionKind.CES, [7, 7, 7, 7, 6])[1].high == 7


def test_too_few_answers_have_no_value() -> None:
    found = surveys.score(QuestionKind.NPS, surveys.tally_of([10, 9, 10, 9]))
    assert found is not None
    assert (found.n, found.fewest, found.estimate) == (4, 5, None)


def test_words_and_choices_have_no_score() -> None:
    assert surveys.score(QuestionKind.TEXT, {}) is None
    assert surveys.score(QuestionKind.SINGLE_CHOICE, {}) is None


def test_weights_undo_over_sampling() -> None:
    """One client was asked ten times as often as its people are: with weights it counts once."""
    values: Sequence[float | None] = [0.0] * 10 + [10.0] * 10
    assert scored(QuestionKind.NPS, values)[1].value == 0.0
    found, fair = scored(QuestionKind.NPS, values, [0.1] * 10 + [1.0] * 10)
    assert fair.value == pytest.approx(100 * 9 / 11)
    assert found.n_effective == pytest.approx(11**2 / 10.1)
    assert found.n == 20


def test_a_weight_must_be_positive() -> None:
    with pytest.raises(ValueError, match="above 0"):
        surveys.tally_of([1], [0.0])


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706204736), (2, 4.302652730), (5, 2.570581836), (30, 2.042272456), (1000, 1.962339081)],
)
def test_students_quantile(freedom: float, expected: float) -> None:
    assert student_quantile(freedom) == pytest.approx(expected, abs=1e-8)


def test_a_share_has_an_interval() -> None:
    found = surveys.share(30, 100)
    assert found is not None
    assert found == pytest.approx((30, 21.45, 40.11), abs=0.01)
    assert surveys.share(0, 0) is None


def test_a_change_has_an_interval() -> None:
    before = scored(QuestionKind.NPS, [10] * 50 + [3] * 50)[1]
    after = scored(QuestionKind.NPS, [10] * 90 + [3] * 10)[1]
    moved = surveys.change(before, after)
    assert moved.value == 80
    assert 0 < moved.low < 80 < moved.high


def multinomial(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return every sample of n answers as promoters and detractors, with the log of its count of orders."""
    one, other = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = one + other <= n
    p, d = one[possible], other[possible]
    logs = np.array([lgamma(each + 1) for each in range(n + 1)])
    return p, d, logs[n] - logs[p] - logs[d] - logs[n - p - d]


def nps_coverage(n: int, interval: Callable[..., tuple[float, float]] = nps_interval) -> float:
    """Return the exact coverage of the worst of all truths."""
    p, d, orders = multinomial(n)
    bounds = np.array([interval(*pair, n) for pair in zip(p, d, strict=True)]) / 100
    worst = 1.0
    for promoters, detractors in TRUTHS:
        chance = np.exp(
            orders
            + p * np.log(promoters or 1e-300)
            + d * np.log(detractors or 1e-300)
            + (n - p - d) * np.log(max(1 - promoters - detractors, 0) or 1e-300)
        )
        truth = promoters - detractors
        inside = (bounds[:, 0] <= truth + 1e-9) & (truth <= bounds[:, 1] + 1e-9)
        worst = min(worst, float(chance[inside].sum()))
    return worst


@pytest.mark.parametrize("n", SIZES)
def test_the_nps_interval_covers_every_truth(n: int) -> None:
    """Exact, over 100 truths, among them everybody a promoter, nobody one, and half and half."""
    assert nps_coverage(n) >= 0.947


def test_the_usual_interval_does_not_cover() -> None:
    """The test above can fail: Wald's interval covers a one-sided truth 15 times of 100."""

    def wald(p: int, d: int, n: int) -> tuple[float, float]:
        middle = (p - d) / n
        half = 1.96 * sqrt(max(0.0, (p + d) / n - middle**2) / n)
        return 100 * (middle - half), 100 * (middle + half)

    assert nps_coverage(5, wald) < 0.2


@pytest.mark.parametrize("n", [5, 20, 100, 500, 2000])
def test_intervals_cover_in_simulation(n: int) -> None:
    """20,000 samples of each truth, by the scores themselves: NPS and CSAT at least 94 times of 100."""
    random = np.random.default_rng(15)
    for promoters, passives, detractors in [
        (0.53, 0.35, 0.12),
        (0.85, 0.12, 0.03),
        (0.3, 0.4, 0.3),
        (0.97, 0.03, 0),
        (0, 0.03, 0.97),
        (0.5, 0, 0.5),
        (1, 0, 0),
    ]:
        drawn = random.multinomial(n, [promoters, passives, detractors], size=20_000)
        seen, times = np.unique(drawn, axis=0, return_counts=True)
        nps = csat = 0
        for (p, rest, d), many in zip(seen, times, strict=True):
            low, high = nps_interval(p, d, n)
            nps += many * (low - 1e-9 <= 100 * (promoters - detractors) <= high + 1e-9)
            low, high = wilson(p, p + rest + d)
            csat += many * (low - 1e-9 <= 100 * promoters <= high + 1e-9)
        assert nps / 20_000 >= 0.94, (promoters, passives, detractors)
        assert csat / 20_000 >= 0.94, (promoters, passives, detractors)


@pytest.mark.parametrize("n", [*SIZES, 100, 300, 1000, 2000])
def test_the_interval_of_a_share_covers_every_share(n: int) -> None:
    k = np.arange(n + 1)
    bounds = np.array([wilson(int(each), n) for each in k]) / 100
    logs = np.array([lgamma(each + 1) for each in k])
    for share in np.linspace(0.005, 0.995, 199):
        chance = np.exp(
            logs[n] - logs - logs[::-1] + k * np.log(share) + (n - k) * np.log(1 - share)
        )
        inside = (bounds[:, 0] <= share + 1e-12) & (share <= bounds[:, 1] + 1e-12)
        assert chance[inside].sum() >= 0.945


@given(st.lists(st.tuples(st.integers(-2, 12), st.floats(0.01, 100)), min_size=1, max_size=60))
def test_a_score_lies_within_its_interval_and_scale(answers: list[tuple[int, float]]) -> None:
    tally = surveys.tally_of([value for value, _ in answers], [weight for _, weight in answers])
    ends = {QuestionKind.NPS: (-100, 100), QuestionKind.CES: (1, 7)}
    for kind in surveys.SCALES:
        found = surveys.score(kind, tally, fewest=1)
        assert found is not None
        assert found.n + found.excluded == len(answers)
        assert found.n_effective <= found.n + 1e-6
        if found.estimate is not None:
            value, low, high = found.estimate
            lowest, highest = ends.get(kind, (0, 100))
            assert lowest - 1e-9 <= low <= value + 1e-9
            assert value - 1e-9 <= high <= highest + 1e-9
