"""Calendars as flat columns: offsets of a zone, working intervals, and their lookup tables."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import Calendars

_DAY = 86_400_000_000
_EDGE = 1 << 62  # beyond every instant


class Expansion(NamedTuple):
    """A calendar over a range of local days, in µs since 1970-01-01Z."""

    always: bool
    from_us: int  # complete from here …
    until_us: int  # … to here
    open_us: NDArray[np.int64]  # (intervals,) sorted, disjoint, merged where they touch
    close_us: NDArray[np.int64]  # (intervals,) exclusive
    zone_from_us: NDArray[np.int64]  # (offsets,) instants from which an offset holds
    zone_offset_us: NDArray[np.int64]  # (offsets,) wall clock minus UTC
    business_day: NDArray[np.int64]  # (days,) local days since 1970 with working time


def pack(expansions: Sequence[Expansion]) -> Calendars:
    """Lay the expansions of several calendars behind each other, with prefix sums."""
    tables = [_day_table(e) for e in expansions]
    lengths = [e.close_us - e.open_us for e in expansions]
    return Calendars(
        always=np.array([e.always for e in expansions], np.bool_),
        from_us=np.array([e.from_us for e in expansions], np.int64),
        until_us=np.array([e.until_us for e in expansions], np.int64),
        interval_first=_firsts([e.open_us for e in expansions]),
        open_us=_flat([e.open_us for e in expansions]),
        close_us=_flat([e.close_us for e in expansions]),
        before_us=_flat([np.cumsum(length) - length for length in lengths]),
        total_us=np.array([length.sum() for length in lengths], np.int64),
        day_first=_firsts(tables),
        day_zero=np.array([e.from_us // _DAY for e in expansions], np.int64),
        day_interval=_flat(tables),
        zone_first=_firsts([e.zone_from_us for e in expansions]),
        zone_from_us=_flat([e.zone_from_us for e in expansions]),
        zone_offset_us=_flat([e.zone_offset_us for e in expansions]),
        business_first=_firsts([e.business_day for e in expansions]),
        business_day=_flat([e.business_day for e in expansions]),
    )


def zone_offsets(zone: str, from_day: int, until_day: int) -> tuple[NDArray[np.int64], ...]:
    """Every change of the zone's offset: sampled daily, then bisected to the second."""
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
    """First instant of a local day, µs; where midnight is skipped, the switch."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 10**6


def _day_table(e: Expansion) -> NDArray[np.int64]:
    """First interval that closes after each UTC midnight: working time in O(1)."""
    if e.always:
        return np.zeros(0, np.int64)
    midnights = np.arange(e.from_us // _DAY, e.until_us // _DAY + 2, dtype=np.int64) * _DAY
    return np.searchsorted(e.close_us, midnights, side="right").astype(np.int64)


def _firsts(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.cumsum([0, *(part.size for part in parts)]).astype(np.int64)


def _flat(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *parts])
