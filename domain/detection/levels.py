"""Shifts of a level that lasts, such as response times: a two-sided CUSUM of the weekday z, with the day of change.

A single day counts for at most four deviations, so that one storm is not taken for a new level. After a shift the
series starts anew on the estimated day of change: the level before it says nothing about the days after it.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.detection.daily import expected
from domain.detection.episodes import DayStanding, Detector, Direction, Episode, Scan
from domain.detection.series import DailySeries

WINDOW, FEWEST = 182, 56
"""Days of history before the day, and days of it that must have a value.

With the 56 and 28 days of daily counts, noise without any shift raised 0.96 shifts a year, because the base itself
wanders; with these 0.16.
"""
SLACK, DECISION = 0.5, 8.0
"""Deviation a day that is forgiven (k), and the sum at which a shift is raised (h), in units of the scale."""
CAP = 4.0
SMALLEST_SHARE = 0.01
"""Smallest scale as a share of the base, for series that hardly move."""


@dataclass(slots=True)
class _Sum:
    """Sum of one side, and since when it is above zero."""

    total: float = 0.0
    since: int = 0

    def add(self, index: int, excess: float) -> bool:
        """Add a day's excess; return whether the sum passes the decision bound."""
        if self.total == 0.0:
            self.since = index
        self.total = max(0.0, self.total + excess)
        return self.total > DECISION


def level_shifts(series: DailySeries) -> Scan:
    """Return the shifts of level, each with its first day (estimated), the day it was found and the new level."""
    standings: dict[DayStanding, int] = {}
    episodes: list[Episode] = []
    start, up, down = 0, _Sum(), _Sum()
    for index in range(len(series)):
        read = _read(series, start, index)
        standing = read if isinstance(read, DayStanding) else DayStanding.JUDGED
        standings[standing] = standings.get(standing, 0) + 1
        if isinstance(read, DayStanding):
            continue
        z = float(np.clip((series.values[index] - read[0]) / read[1], -CAP, CAP))
        raised = [
            side
            for side, total, excess in (
                (Direction.HIGH, up, z - SLACK),
                (Direction.LOW, down, -z - SLACK),
            )
            if total.add(index, excess)
        ]
        if raised:
            since = (up if raised[0] is Direction.HIGH else down).since
            episodes.append(_episode(series, since, index, raised[0], read))
            start, up, down = since, _Sum(), _Sum()
    return Scan(tuple(episodes), standings)


def _read(series: DailySeries, start: int, index: int) -> tuple[float, float] | DayStanding:
    """Return base and scale of a day by the window since the last shift, or why there are none."""
    if np.isnan(series.values[index]):
        return DayStanding.NO_VALUE
    positions = np.arange(max(start, index - WINDOW), index)
    positions = positions[~np.isnan(series.values[positions])]
    if len(positions) < FEWEST:
        return DayStanding.TOO_LITTLE_HISTORY
    weekdays = (series.first_on.weekday() + positions) % 7
    base, spread = expected(series.values[positions], weekdays, series.day(index).weekday())
    return base, max(spread, SMALLEST_SHARE * abs(base), 1e-9)


def _episode(
    series: DailySeries, since: int, index: int, direction: Direction, read: tuple[float, float]
) -> Episode:
    known = [each for each in range(since, index + 1) if not np.isnan(series.values[each])]
    days: tuple[date, ...] = tuple(series.day(each) for each in known)
    level, (base, scale) = float(np.median(series.values[known])), read
    return Episode(
        Detector.LEVEL,
        direction,
        found_on=series.day(index),
        first_on=series.day(since),
        last_on=series.day(index),
        peak_on=series.day(since),
        value=level,
        base=base,
        scale=scale,
        z=(level - base) / scale,
        days=days,
    )
