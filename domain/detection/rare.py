"""Bursts of rare events: more in a week than a gamma-Poisson forecast from the half year before allows.

The daily rate has the prior Gamma(1/2, 7 days); the 182 days before the week are added to it. The number of events of
a week is then negative binomial, which allows for how little is known of a rate after few events.
"""

from datetime import date, timedelta
from math import exp, lgamma, log, sqrt

import numpy as np

from domain.detection.episodes import DayStanding, Detector, Direction, Episode, Scan
from domain.detection.series import DailySeries

PRIOR_EVENTS, PRIOR_DAYS = 0.5, 7.0
HISTORY = 182
"""Days before the week from which the rate is known."""
FEWEST = 28
"""Days of history before which nothing is raised: a new series has no usual rate."""
WEEK = 7
SMALLEST_PROBABILITY = 0.002
"""Probability below which a number of events is unusual."""
FEWEST_EVENTS = 3
SILENCE = 7
"""Days after an alarm in which the same series raises no other one."""


def tail(k: int, events: float, days: float) -> float:
    """Return the probability of `k` or more events in a week after `events` in `days` of history."""
    shape, exposure = PRIOR_EVENTS + events, PRIOR_DAYS + days
    stays, comes = log(exposure / (exposure + WEEK)), log(WEEK / (exposure + WEEK))
    below = sum(
        exp(lgamma(shape + each) - lgamma(shape) - lgamma(each + 1) + shape * stays + each * comes)
        for each in range(k)
    )
    if 1 - below > 1e-9:
        return 1 - below
    # Far in the tail the difference is rounding: sum the tail itself.
    term, total = (
        exp(lgamma(shape + k) - lgamma(shape) - lgamma(k + 1) + shape * stays + k * comes),
        0.0,
    )
    each = k
    while term > total * 1e-12 and each < k + 100_000:
        total += term
        term *= (shape + each) / (each + 1) * exp(comes)
        each += 1
    return total


def expected_in_week(events: float, days: float) -> tuple[float, float]:
    """Return the mean and the standard deviation of the events of a week after such a history."""
    shape, exposure = PRIOR_EVENTS + events, PRIOR_DAYS + days
    mean = shape / exposure * WEEK
    return mean, sqrt(mean * (1 + WEEK / exposure))


def read_week(series: DailySeries, index: int) -> Episode | DayStanding:
    """Judge the week that ends on a day; the episode when it has unusually many events, else how it stands."""
    first = index - WEEK + 1
    week = series.values[max(0, first) : index + 1]
    history = series.values[max(0, first - HISTORY) : max(0, first)]
    known = ~np.isnan(history)
    days = int(known.sum())
    if np.isnan(series.values[index]):
        return DayStanding.NO_VALUE
    if days < FEWEST:
        return DayStanding.TOO_LITTLE_HISTORY
    k, events = int(np.nansum(week)), float(history[known].sum())
    if k < FEWEST_EVENTS:
        return DayStanding.JUDGED
    probability = tail(k, events, days)
    if probability >= SMALLEST_PROBABILITY:
        return DayStanding.JUDGED
    return _episode(series, index, k, probability, *expected_in_week(events, days))


def _episode(
    series: DailySeries, index: int, k: int, probability: float, mean: float, deviation: float
) -> Episode:
    start = max(0, index - WEEK + 1)
    days: tuple[date, ...] = tuple(
        series.day(each) for each in range(start, index + 1) if series.values[each] > 0
    )
    on = series.day(index)
    return Episode(
        Detector.RARE,
        Direction.HIGH,
        found_on=on,
        first_on=days[0],
        last_on=on,
        peak_on=on,
        value=float(k),
        base=mean,
        scale=deviation,
        z=(k - mean) / deviation,
        days=days,
        probability=probability,
    )


def rare_bursts(series: DailySeries) -> Scan:
    """Return the bursts of a series, at most one in eight days."""
    standings: dict[DayStanding, int] = {}
    episodes: list[Episode] = []
    for index in range(len(series)):
        found = read_week(series, index)
        standing = DayStanding.JUDGED if isinstance(found, Episode) else found
        standings[standing] = standings.get(standing, 0) + 1
        if isinstance(found, Episode) and not (
            episodes and is_silent(episodes[-1].found_on, found.found_on)
        ):
            episodes.append(found)
    return Scan(tuple(episodes), standings)


def is_silent(raised_on: date, on: date) -> bool:
    """Return whether a burst raised on one day still silences another one."""
    return on - raised_on <= timedelta(days=SILENCE)
