"""Unusual days: what is expected, what is enough history, and one episode per storm."""

from datetime import date, timedelta

import numpy as np
import pytest

from domain.detection import DailySeries, DayStanding, Direction, read_day, unusual_days

FIRST = date(2024, 1, 1)  # a Monday
WEEK = np.array([40.0, 40.0, 40.0, 40.0, 60.0, 80.0, 40.0])


def weekly(weeks: int, *, spread: float = 0.0, seed: int = 0) -> DailySeries:
    """Return weeks with a busy Friday and Saturday."""
    values = np.tile(WEEK, weeks)
    return DailySeries(
        FIRST, values + np.random.default_rng(seed).normal(0, 1, values.size) * spread
    )


def test_the_base_is_the_median_times_the_shrunk_factor_of_the_weekday() -> None:
    series = weekly(9)
    reading = read_day(series, 8 * 7 + 5)
    # Eight Saturdays of twice the median, and two pseudo weeks of an ordinary day.
    assert reading.base == pytest.approx(40 * (2 * 8 + 2) / 10)
    assert reading.scale == pytest.approx(max(np.sqrt(72), 0))
    assert reading.z == pytest.approx((80 - 72) / np.sqrt(72))


def test_below_28_days_the_history_is_too_short_and_nothing_is_guessed() -> None:
    series = weekly(5)
    assert read_day(series, 27).standing is DayStanding.TOO_LITTLE_HISTORY
    assert np.isnan(read_day(series, 27).z)
    assert read_day(series, 28).standing is DayStanding.JUDGED


def test_a_day_without_a_value_is_unknown_and_no_history() -> None:
    series = weekly(6)
    series.values[3] = np.nan
    assert read_day(series, 3).standing is DayStanding.NO_VALUE
    assert read_day(series, 28).standing is DayStanding.TOO_LITTLE_HISTORY
    assert read_day(series, 29).standing is DayStanding.JUDGED


def test_few_events_a_day_are_not_compared_by_weekday() -> None:
    series = DailySeries(FIRST, np.full(40, 3.0))
    assert read_day(series, 39).standing is DayStanding.TOO_FEW_A_DAY


@pytest.mark.parametrize(("quiet", "episodes"), [(2, 1), (3, 2)])
def test_three_quiet_days_separate_two_episodes(quiet: int, episodes: int) -> None:
    series = weekly(10, spread=2)
    first, second = 57, 57 + quiet + 1
    series.values[[first, second]] = 200
    found = unusual_days(series).episodes
    assert len(found) == episodes
    assert {day for each in found for day in each.days} == {series.day(first), series.day(second)}
    assert found[0].found_on == series.day(first)


def test_a_high_alarm_needs_four_deviations_and_a_low_one_five() -> None:
    series = weekly(9, spread=0)
    base, scale = 40.0, np.sqrt(40)
    index = 57  # a Tuesday
    for z, side in ((3.99, None), (4.01, Direction.HIGH), (-4.99, None), (-5.01, Direction.LOW)):
        series.values[index] = base + z * scale
        found = unusual_days(series).episodes
        assert [each.direction for each in found if each.first_on == series.day(index)] == (
            [side] if side else []
        )


def test_a_storm_is_harmless_as_history() -> None:
    series = weekly(12, spread=3)
    before = read_day(series, 70)
    series.values[50:54] = 900
    after = read_day(series, 70)
    assert abs(after.base - before.base) < 0.1 * before.base
    assert after.scale < 2 * before.scale


def test_in_retrospect_the_first_days_are_judged_by_what_followed() -> None:
    series = weekly(10, spread=2)
    series.values[0] = 200
    assert unusual_days(series).episodes == ()
    [found] = unusual_days(series, retro=True).episodes
    assert found.days == (FIRST,)


def test_noise_raises_less_than_one_alarm_in_ten_years() -> None:
    counts = np.random.default_rng(1).poisson(60, 3653).astype(float)
    assert len(unusual_days(DailySeries(FIRST, counts)).episodes) <= 1


def test_a_series_of_counted_events_has_zeros_between() -> None:
    until = FIRST + timedelta(days=4)
    series = DailySeries.of_counts({FIRST + timedelta(days=2): 3}, first_on=FIRST, until=until)
    assert series.values.tolist() == [0, 0, 3, 0, 0]
    known = DailySeries.of({FIRST: 1.0, FIRST + timedelta(days=2): 3.0})
    assert np.isnan(known.values[1])
