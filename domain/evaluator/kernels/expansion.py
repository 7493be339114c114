"""Calendars as flat columns: offsets of a zone, working intervals, and their lookup tables."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.columns import (
    ALWAYS,
    BUSINESS,
    BUSINESS_DAYS,
    DAY_TABLE,
    DAY_ZERO,
    FROM,
    HEAD,
    INTERVALS,
    INVERSE,
    OFFSETS,
    OPEN,
    STEP_BITS,
    TOTAL,
    UNTIL,
    ZONE,
    Calendars,
)

_DAY = 86_400_000_000
_EDGE = 1 << 62  # later than every time


class Expansion(NamedTuple):
    """A calendar over a range of local days, in µs since 1970-01-01Z."""

    always: bool
    from_us: int  # complete from here …
    until_us: int  # … to here
    open_us: NDArray[np.int64]  # (intervals,) sorted, disjoint, merged where they touch
    close_us: NDArray[np.int64]  # (intervals,) exclusive
    zone_from_us: NDArray[np.int64]  # (offsets,) times from which an offset is in force
    zone_offset_us: NDArray[np.int64]  # (offsets,) wall clock minus UTC
    business_day: NDArray[np.int64]  # (days,) local days since 1970 with working time


def pack(expansions: Sequence[Expansion]) -> Calendars:
    """Concatenate the expansions of several calendars, with prefix sums."""
    head = np.zeros((len(expansions), HEAD), np.int64)
    data: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    end = 0
    for row, e in zip(head, expansions, strict=True):
        length = e.close_us - e.open_us
        before = np.cumsum(length) - length
        intervals = (e.open_us, e.close_us, before)
        zone = (e.zone_from_us, e.zone_offset_us, e.business_day)
        parts = (*intervals, _day_table(e), *zone, _inverse_table(before, int(length.sum())))
        starts = end + np.cumsum([0, *(part.size for part in parts)])
        row[[ALWAYS, FROM, UNTIL]] = e.always, e.from_us, e.until_us
        row[[TOTAL, INTERVALS, OPEN]] = length.sum(), length.size, starts[0]
        row[[DAY_TABLE, DAY_ZERO]] = starts[3], e.from_us // _DAY
        row[[ZONE, OFFSETS]] = starts[4], e.zone_from_us.size
        row[[BUSINESS, BUSINESS_DAYS, INVERSE]] = starts[6], e.business_day.size, starts[7]
        data += parts
        end = int(starts[-1])
    return Calendars(head, np.concatenate(data))


def zone_offsets(zone: str, from_day: int, until_day: int) -> tuple[NDArray[np.int64], ...]:
    """Return every change of the zone's offset: sampled daily, then bisected to the second."""
    local = ZoneInfo(zone)

    def offset(second: int) -> int:
        ahead = datetime.fromtimestamp(second, local).utcoffset()
        return 0 if ahead is None else round(ahead.total_seconds())

    starts, ahead = [-_EDGE], [offset(from_day * 86_400)]
    for day in range(from_day, until_day):
        low, high = day * 86_400, (day + 1) * 86_400
        after = offset(high)
        if after == ahead[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == ahead[-1] else (low, middle)
        starts.append(high * 1_000_000)
        ahead.append(after)
    return np.array(starts, np.int64), np.array(ahead, np.int64) * 1_000_000


def midnight(zone: str, day: date) -> int:
    """Return the first time of a local day, µs; where midnight is skipped, the switch."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


def _day_table(e: Expansion) -> NDArray[np.int64]:
    """Return the first interval that closes after each UTC midnight: working time in O(1)."""
    if e.always:
        return np.zeros(0, np.int64)
    midnights = np.arange(e.from_us // _DAY, e.until_us // _DAY + 2, dtype=np.int64) * _DAY
    return np.searchsorted(e.close_us, midnights, side="right").astype(np.int64)


def _inverse_table(before: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Return the last interval with at most so much working time before it, by steps: a deadline in O(1)."""
    steps = np.arange((total >> STEP_BITS) + 1, dtype=np.int64) << STEP_BITS
    return np.maximum(0, np.searchsorted(before, steps, side="right") - 1).astype(np.int64)
