"""No number is shown without evidence, and the sets that decide about it hold nine in ten of either outcome."""

import numpy as np
import pytest

from domain.churn import (
    AbstentionReason,
    ClientMonth,
    Thresholds,
    abstentions,
    forecast,
    learn,
    report,
    sigmoid,
    thresholds_of,
)
from domain.churn.calibration import auc, calibration_error
from domain.churn.conformal import cover
from domain.churn.validation import coverage

QUIET = forecast(learn(("A", "B"), []), ClientMonth(frozenset(), 60), days=180)
ALARMING = forecast(learn(("A", "B"), []), ClientMonth(frozenset({"A", "B"}), 0), days=180)


def reasons(**changes: object) -> list[AbstentionReason]:
    given = {"coverage": 0.8, "age_days": 400, **changes}
    half_year = given.pop("half_year", QUIET)
    return [each.reason for each in abstentions(half_year, **given)]  # type: ignore[arg-type]


def test_each_reason_has_its_bound() -> None:
    assert reasons() == []
    assert reasons(coverage=0.5) == []
    assert reasons(coverage=0.49) == [AbstentionReason.LITTLE_COVERAGE]
    assert reasons(age_days=90) == []
    assert reasons(age_days=89) == [AbstentionReason.NEW_CLIENT]
    assert ALARMING.high - ALARMING.low > 0.30
    assert reasons(half_year=ALARMING) == [AbstentionReason.WIDE_INTERVAL]
    both = Thresholds(leaves=0.99, stays=0.5, leavers=25)
    assert reasons(thresholds=both) == [AbstentionReason.BOTH_POSSIBLE]
    assert reasons(thresholds=Thresholds(leaves=0.5, stays=0.5, leavers=25)) == []
    neither = Thresholds(leaves=0.1, stays=0.001, leavers=25)
    assert reasons(thresholds=neither) == [AbstentionReason.BOTH_POSSIBLE]


def test_all_reasons_are_said_with_what_is_needed() -> None:
    found = abstentions(ALARMING, coverage=0.1, age_days=3)
    assert [(each.reason, each.needed) for each in found] == [
        (AbstentionReason.LITTLE_COVERAGE, 0.5),
        (AbstentionReason.NEW_CLIENT, 90),
        (AbstentionReason.WIDE_INTERVAL, 0.30),
    ]


def outcomes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    probabilities = sigmoid(draw.normal(-1.5, 1.5, n))
    return probabilities, draw.random(n) < probabilities


def test_sets_hold_nine_in_ten_of_leavers_and_of_stayers() -> None:
    probabilities, left = outcomes(20_000, 3)
    found = coverage(probabilities, left)
    assert found is not None
    assert found.leavers == pytest.approx(0.9, abs=0.01)
    assert found.stayers == pytest.approx(0.9, abs=0.01)
    assert found.right > 0.8


def test_thresholds_need_twenty_leavers_and_hold_with_few() -> None:
    probabilities, left = outcomes(400, 4)
    known = np.flatnonzero(left)
    assert thresholds_of(probabilities[known[:19]], left[known[:19]]) is None
    held = []
    unseen, truth = outcomes(20_000, 5)
    for seed in range(30):
        some, happened = outcomes(100, 100 + seed)
        thresholds = thresholds_of(some, happened)
        if thresholds is not None:
            held.append(cover(thresholds, unseen, truth).leavers)
    assert len(held) > 10
    assert np.mean(held) >= 0.89


def test_with_fewer_than_twenty_leavers_calibration_is_not_yet_measurable() -> None:
    probabilities = np.full(100, 0.1)
    few, enough = np.arange(100) < 19, np.arange(100) < 20
    assert not report(probabilities, few).is_measurable
    assert report(probabilities, few).brier is None
    assert len(report(probabilities, few).outcomes) == 100
    found = report(probabilities, enough)
    assert found.is_measurable
    assert found.brier == pytest.approx(0.2 * 0.81 + 0.8 * 0.01)
    assert found.brier_of_base_rate == pytest.approx(0.16)
    assert found.bias == pytest.approx(-0.1)
    assert found.ece == pytest.approx(
        np.mean([abs(0.1 - part.mean()) for part in np.array_split(enough, 10)])
    )


def test_auc_counts_pairs_and_halves_ties() -> None:
    probabilities = np.array([0.1, 0.4, 0.4, 0.8, 0.3])
    left = np.array([False, True, False, True, False])
    pairs = [(a, b) for a in probabilities[left] for b in probabilities[~left]]
    assert auc(probabilities, left) == pytest.approx(
        sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)
    )


def test_honest_probabilities_have_a_small_calibration_error_and_others_a_large_one() -> None:
    probabilities, left = outcomes(50_000, 6)
    assert calibration_error(probabilities, left) < 0.01
    assert calibration_error(probabilities**2, left) > 0.05
