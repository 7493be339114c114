"""Which detector a series of counts gets: by how many events its days have."""

import numpy as np

from domain.detection.daily import SMALLEST_BASE, unusual_days
from domain.detection.episodes import Scan
from domain.detection.rare import rare_bursts
from domain.detection.series import DailySeries


def scan_counts(series: DailySeries, *, retro: bool = False) -> Scan:
    """Scan daily counts: by weekday z with a median of 20 a day or more, else as rare events."""
    known = series.values[~np.isnan(series.values)]
    if known.size and float(np.median(known)) >= SMALLEST_BASE:
        return unusual_days(series, retro=retro)
    return rare_bursts(series)
