"""Shifts of level: found with the day on which they began, not by a single storm, and hardly without a shift."""

from datetime import date, timedelta

import numpy as np
import pytest

from domain.detection import DailySeries, DayStanding, Direction, level_shifts

FIRST = date(2022, 1, 1)
AT = 120


def shifted(deviations: float, seed: int, days: int = 220) -> DailySeries:
    """Return seconds of response that change by so many deviations on day 120."""
    values = np.random.default_rng(seed).normal(600, 30, days)
    values[AT:] += 30 * deviations
    return DailySeries(FIRST, values)


@pytest.mark.parametrize(("deviations", "delay", "error"), [(1.5, 12, 5), (2, 8, 4), (-2, 8, 4)])
def test_a_shift_is_found_with_its_first_day(deviations: float, delay: int, error: int) -> None:
    delays, errors = [], []
    for seed in range(25):
        series = shifted(deviations, seed)
        after = [each for each in level_shifts(series).episodes if each.found_on >= series.day(AT)]
        if after:
            delays.append((after[0].found_on - series.day(AT)).days + 1)
            errors.append(abs((after[0].first_on - series.day(AT)).days))
            assert (after[0].direction is Direction.HIGH) == (deviations > 0)
    assert len(delays) >= 23
    assert np.mean(delays) <= delay
    assert np.quantile(errors, 0.9) <= error


def test_noise_raises_less_than_one_shift_in_two_years() -> None:
    found = sum(len(level_shifts(shifted(0, seed, 3 * 365)).episodes) for seed in range(6))
    assert found / 18 <= 0.5


def test_a_storm_of_one_day_is_no_new_level() -> None:
    values = 600 + np.tile([-30.0, 10.0, 30.0, -10.0], 40)
    values[100] = 60_000
    assert level_shifts(DailySeries(FIRST, values)).episodes == ()
    values[100:] += 90
    assert len(level_shifts(DailySeries(FIRST, values)).episodes) == 1


def test_a_shift_is_raised_once_and_the_new_level_becomes_the_usual_one() -> None:
    scans = [level_shifts(shifted(3, seed, 400)) for seed in range(10)]
    assert sum(len(each.episodes) for each in scans) <= 13
    for scan in scans:
        # 56 days at the beginning, and again from the day of the shift on.
        assert scan.standings[DayStanding.TOO_LITTLE_HISTORY] >= 56 + 40
    found = [
        each for scan in scans for each in scan.episodes if each.first_on == FIRST + timedelta(AT)
    ]
    assert found
    assert np.mean([each.value for each in found]) == pytest.approx(690, abs=15)
    assert np.mean([each.base for each in found]) == pytest.approx(600, abs=15)


def test_a_series_that_never_moves_has_a_scale() -> None:
    values = np.full(100, 600.0)
    values[70:] = 601
    assert level_shifts(DailySeries(FIRST, values)).episodes == ()
    values[70:] = 700
    [found] = level_shifts(DailySeries(FIRST, values)).episodes
    assert found.first_on == FIRST + timedelta(days=70)
