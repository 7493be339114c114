"""Which detector a series of counts gets: by how many events its days have."""

from datetime import date

import numpy as np

from domain.detection.daily import SMALLEST_BASE, episode_of, read_day, unusual_days
from domain.detection.episodes import DayStanding, Episode, Scan
from domain.detection.rare import rare_bursts, read_week
from domain.detection.series import DailySeries


def scan_counts(series: DailySeries, *, retro: bool = False) -> Scan:
    """Scan daily counts: by weekday z with a median of 20 a day or more, else as rare events."""
    known = series.values[~np.isnan(series.values)]
    if known.size and float(np.median(known)) >= SMALLEST_BASE:
        return unusual_days(series, retro=retro)
    return rare_bursts(series)


def find_on(series: DailySeries, on: date) -> Episode | None:
    """Return what is unusual on one day of counts; None for a usual day and one that cannot be judged yet."""
    index = (on - series.first_on).days
    if not 0 <= index < len(series):
        return None
    reading = read_day(series, index)
    if reading.standing is DayStanding.JUDGED:
        return episode_of(reading)
    if reading.standing is not DayStanding.TOO_FEW_A_DAY:
        return None
    found = read_week(series, index)
    return found if isinstance(found, Episode) else None
