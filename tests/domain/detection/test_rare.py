"""Rare events: the forecast, hardly a false alarm in quiet years, and bursts that are noticed."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from domain.detection import DailySeries, DayStanding, expected_in_week, rare_bursts, tail
from domain.detection.rare import SILENCE

FIRST = date(2020, 1, 1)
YEARS, STREAMS = 10, 4


def drawn(rate: float, days: int, seed: int) -> DailySeries:
    """Return a stream of independent events."""
    return DailySeries(FIRST, np.random.default_rng(seed).poisson(rate, days).astype(float))


def test_the_forecast_is_the_mixture_of_poisson_weeks_over_the_possible_rates() -> None:
    events, days = 9, 182
    draw = np.random.default_rng(3)
    rates = draw.gamma(0.5 + events, 1 / (7 + days), 400_000)
    weeks = draw.poisson(7 * rates)
    for k in (1, 2, 3):
        assert tail(k, events, days) == pytest.approx((weeks >= k).mean(), abs=0.002)
    mean, deviation = expected_in_week(events, days)
    assert (mean, deviation) == pytest.approx((weeks.mean(), weeks.std()), rel=0.01)


def test_the_far_tail_is_not_lost_in_rounding() -> None:
    assert 0 < tail(60, 9, 182) < tail(59, 9, 182) < 1e-30
    assert tail(0, 9, 182) == 1


@pytest.mark.parametrize("rate", [0.03, 0.1, 0.3, 1, 3])
def test_a_quiet_stream_raises_half_an_alarm_a_year_at_most(rate: float) -> None:
    found = sum(len(rare_bursts(drawn(rate, 3650, seed)).episodes) for seed in range(STREAMS))
    assert found / (YEARS * STREAMS) <= 0.5


@pytest.mark.parametrize(
    ("rate", "times", "share", "delay"),
    [(0.1, 10, 0.7, 6), (0.3, 5, 0.7, 6), (0.3, 10, 0.97, 4), (1, 5, 0.97, 4), (3, 5, 0.97, 2)],
)
def test_a_week_of_many_times_the_events_is_noticed(
    rate: float, times: int, share: float, delay: float
) -> None:
    """The shares that are possible: at 0.03 a day a week at five times the rate holds one event on average."""
    noticed = []
    for seed in range(100):
        series = drawn(rate, 230, 1000 + seed)
        burst = np.random.default_rng(seed).poisson(rate * times, 7)
        series.values[200:207] = burst
        during = (series.day(200), series.day(206))
        noticed += [
            (each.found_on - during[0]).days + 1
            for each in rare_bursts(series).episodes
            if during[0] <= each.found_on <= during[1]
        ][:1]
    assert len(noticed) / 100 >= share
    assert np.mean(noticed) <= delay


def test_two_events_are_never_a_burst_and_a_burst_silences_a_week() -> None:
    values = np.zeros(260)
    values[200:202] = 1
    assert rare_bursts(DailySeries(FIRST, values)).episodes == ()
    values[200:230] = 2
    raised = [each.found_on for each in rare_bursts(DailySeries(FIRST, values)).episodes]
    assert raised[0] == FIRST + timedelta(days=201)
    assert all((b - a).days > SILENCE for a, b in pairwise(raised))


def test_a_new_series_has_no_usual_rate() -> None:
    values = np.zeros(40)
    values[20:24] = 5
    scan = rare_bursts(DailySeries(FIRST, values))
    assert scan.standings == {DayStanding.TOO_LITTLE_HISTORY: 34, DayStanding.JUDGED: 6}
    assert scan.episodes == ()


def test_an_episode_names_the_days_of_its_events() -> None:
    values = np.zeros(260)
    values[[200, 203]] = (1, 4)
    [found] = rare_bursts(DailySeries(FIRST, values)).episodes
    assert found.days == (FIRST + timedelta(days=200), FIRST + timedelta(days=203))
    assert found.value == 5
    assert found.probability is not None
    assert found.probability < 0.002
    assert found.z == pytest.approx((5 - found.base) / found.scale)
