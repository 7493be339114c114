"""Unusual days of daily counts: a robust weekday z against the 56 days before.

The base of a day is the median of its window times the factor of its weekday. The scale is the median absolute
deviation of the window's residuals, and at least that of a Poisson count. Medians make a storm of a few days harmless
as history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from statistics import median

import numpy as np
from numpy.typing import NDArray

from domain.detection.episodes import DayStanding, Detector, Direction, Episode, Scan
from domain.detection.series import DailySeries

WINDOW = 56
"""Days of history before the day, and in retrospect also after it."""
FEWEST = 28
"""Days with a value that the window must have."""
SMALLEST_BASE = 20.0
"""Base below which counts are rare events, which need another detector."""
HIGH, LOW = 4.0, -5.0
"""Bounds of z outside which a day is unusual."""
EPISODE_GAP = 3
"""Usual days after which a further unusual day is another episode."""
TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""
PSEUDO_WEEKS = 2
"""Weeks of an ordinary weekday (factor 1) that are added to those seen."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A day against its window; `z` only when it could be judged."""

    on: date
    standing: DayStanding
    value: float
    history: int
    base: float = np.nan
    scale: float = np.nan
    z: float = np.nan


def expected(
    window: NDArray[np.float64],  # (days,) values without gaps
    weekdays: NDArray[np.int64],  # (days,)
    weekday: int,
) -> tuple[float, float]:
    """Return the base of a day of this weekday, and the usual deviation of the window's days from theirs."""
    # Lists: medians of eight values cost a tenth of NumPy's calls.
    values, days = window.tolist(), weekdays.tolist()
    middle = median(values)
    factors = [1.0] * 7
    if middle > 0:
        for each in range(7):
            same = [value for value, day in zip(values, days, strict=True) if day == each]
            if same:
                share = median(same) / middle
                factors[each] = (share * len(same) + PSEUDO_WEEKS) / (len(same) + PSEUDO_WEEKS)
    residuals = [value - middle * factors[day] for value, day in zip(values, days, strict=True)]
    centre = median(residuals)
    spread = median([abs(each - centre) for each in residuals])
    return middle * factors[weekday], TO_SIGMA * spread


def read_day(series: DailySeries, index: int, *, retro: bool = False) -> Reading:
    """Judge one day by the 56 days before it; in retrospect also by the 56 days after it."""
    on, value = series.day(index), float(series.values[index])
    positions = np.arange(max(0, index - WINDOW), index)
    if retro:
        after = np.arange(index + 1, min(len(series), index + 1 + WINDOW))
        positions = np.concatenate([positions, after])
    positions = positions[~np.isnan(series.values[positions])]
    history = len(positions)
    if np.isnan(value):
        return Reading(on, DayStanding.NO_VALUE, value, history)
    if history < FEWEST:
        return Reading(on, DayStanding.TOO_LITTLE_HISTORY, value, history)
    weekdays = (series.first_on.weekday() + positions) % 7
    base, spread = expected(series.values[positions], weekdays, on.weekday())
    scale = max(spread, float(np.sqrt(max(base, 0.0))))
    if base < SMALLEST_BASE:
        return Reading(on, DayStanding.TOO_FEW_A_DAY, value, history, base, scale)
    return Reading(on, DayStanding.JUDGED, value, history, base, scale, (value - base) / scale)


def read_days(series: DailySeries, *, retro: bool = False) -> Iterator[Reading]:
    """Judge every day of a series."""
    return (read_day(series, index, retro=retro) for index in range(len(series)))


def unusual_days(series: DailySeries, *, retro: bool = False) -> Scan:
    """Return the episodes of unusually high and low days, each raised once."""
    standings: dict[DayStanding, int] = {}
    open_ones: dict[Direction, Episode] = {}
    done: list[Episode] = []
    for reading in read_days(series, retro=retro):
        standings[reading.standing] = standings.get(reading.standing, 0) + 1
        found = episode_of(reading)
        if found is None:
            continue
        last = open_ones.get(found.direction)
        if last is not None and continues(last.last_on, found.first_on):
            open_ones[found.direction] = last.joined(found)
            continue
        if last is not None:
            done.append(last)
        open_ones[found.direction] = found
    episodes = sorted([*done, *open_ones.values()], key=lambda each: each.first_on)
    return Scan(tuple(episodes), standings)


def episode_of(reading: Reading) -> Episode | None:
    """Return the episode that an unusual day begins; None for a usual day and one that could not be judged."""
    if reading.standing is not DayStanding.JUDGED or LOW < reading.z < HIGH:
        return None
    on = reading.on
    return Episode(
        Detector.DAILY,
        Direction.HIGH if reading.z > 0 else Direction.LOW,
        found_on=on,
        first_on=on,
        last_on=on,
        peak_on=on,
        value=reading.value,
        base=reading.base,
        scale=reading.scale,
        z=reading.z,
        days=(on,),
    )


def continues(last_on: date, on: date) -> bool:
    """Return whether an unusual day belongs to the episode whose last unusual day is `last_on`."""
    return (on - last_on).days - 1 < EPISODE_GAP
