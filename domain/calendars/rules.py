"""Working time: a calendar's hours, holidays and closures, expanded into instants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from domain.calendars.spec import CalendarSpec, public_holidays

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from domain.evaluator.kernels.columns import Calendars, Promises
    from domain.evaluator.kernels.expansion import Expansion

_MINUTE, _DAY = 60_000_000, 86_400_000_000
_EDGE = 1 << 62  # later than every time
_YEARS_AHEAD = 64
_SAMPLE = date(2000, 1, 1), date(2031, 12, 31)
_EPOCH = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=256)
def expand(spec: CalendarSpec, first: date, last: date) -> Expansion:
    """Expand `spec` over the local days first..last (inclusive) into working intervals."""
    import numpy as np

    from domain.evaluator.kernels.expansion import Expansion, midnight, zone_offsets

    from_day, until_day = first.toordinal() - _EPOCH, last.toordinal() - _EPOCH + 1
    zone_from, zone_offset = zone_offsets(spec.zone, from_day - 3, until_day + 3)
    zone_until = np.append(zone_from[1:], _EDGE)
    opens, closes = _local_intervals(spec, from_day, until_day)
    pieces = []
    for start, end, offset in zip(zone_from, zone_until, zone_offset, strict=True):
        low, high = np.maximum(opens, start + offset), np.minimum(closes, end + offset)
        some = low < high
        pieces.append((low[some] - offset, high[some] - offset, low[some] // _DAY))
    open_us, close_us, day = (np.concatenate(column) for column in zip(*pieces, strict=True))
    begins = np.append(True, open_us[1:] > close_us[:-1])[: open_us.size]
    ends = np.append(begins[1:], True)[: open_us.size]
    return Expansion(
        always=spec.always_open,
        from_us=midnight(spec.zone, first),
        until_us=midnight(spec.zone, last + timedelta(days=1)),
        open_us=open_us[begins],
        close_us=close_us[ends],
        zone_from_us=zone_from,
        zone_offset_us=zone_offset,
        business_day=np.unique(day),
    )


def calendars_for(
    specs: Sequence[CalendarSpec], promises: Promises, first_us: int, at_us: int
) -> Calendars:
    """Expand the calendars of a promise dimension far enough for every deadline at `at_us`.

    `first_us` is the earliest event. Each calendar starts with the year before it and grows, in whole years so that
    expansions are shared, until the working time left after `at_us` exceeds its longest target and its longest number
    of business days. ValueError when 64 years do not hold that much. A kernel refuses a shorter expansion instead of
    guessing.
    """
    from domain.evaluator.kernels.expansion import pack

    expansions = [
        _far_enough(spec, promises, row, first_us, max(first_us, at_us))
        for row, spec in enumerate(specs)
    ]
    return pack(expansions)


class Capacity(NamedTuple):
    """The longest targets that a calendar can hold."""

    working_us: int
    business_days: int


@lru_cache(maxsize=1024)
def capacity(spec: CalendarSpec) -> Capacity:
    """Return what the calendar holds in 32 years: a target up to this ends within the 64 years that are expanded.

    Computed over fixed years, so that it depends on the calendar alone.
    """
    if spec.always_open:
        return Capacity(_EDGE, 1 << 20)
    hours = expand(spec, *_SAMPLE)
    held_us = int((hours.close_us - hours.open_us).sum())
    longest_us = _longest_day_us(spec)
    days = min(hours.business_day.size, held_us // longest_us) - 3
    return Capacity(max(0, held_us - 1), max(0, days))


def worked_us(spec: CalendarSpec, from_us: int, until_us: int) -> int:
    """Return the working microseconds in [from_us, until_us)."""
    if spec.always_open:
        return until_us - from_us
    first, last = _utc(from_us).year - 1, _utc(until_us).year + 1
    hours = expand(spec, date(first, 1, 1), date(last, 12, 31))
    opens, closes = (edge.clip(from_us, until_us) for edge in (hours.open_us, hours.close_us))
    return int((closes - opens).sum())


def is_open(spec: CalendarSpec, at: datetime) -> bool:
    """Return whether the time lies in the working hours; their end is exclusive."""
    if spec.always_open:
        return True
    import numpy as np

    hours = expand(spec, date(at.year - 1, 1, 1), date(at.year + 1, 12, 31))
    at_us = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    index = int(np.searchsorted(hours.open_us, at_us, side="right")) - 1
    return index >= 0 and at_us < int(hours.close_us[index])


@lru_cache(maxsize=1024)
def hours_overlap(one: CalendarSpec, other: CalendarSpec) -> bool:
    """Return whether a time in 32 fixed years lies in the working hours of both calendars."""
    if one.always_open or other.always_open:
        return True
    import numpy as np

    first, second = expand(one, *_SAMPLE), expand(other, *_SAMPLE)
    next_close = np.searchsorted(second.close_us, first.open_us, side="right")
    opens = np.append(second.open_us, _EDGE)[next_close]
    return bool((opens < first.close_us).any())


def closing_before(spec: CalendarSpec, at_us: int) -> int:
    """Return the end of the hours before `at_us` when new hours begin at exactly that time, else `at_us` itself."""
    if spec.always_open:
        return at_us
    import numpy as np

    year = _utc(at_us).year
    hours = expand(spec, date(year - 1, 1, 1), date(year + 1, 12, 31))
    index = int(np.searchsorted(hours.open_us, at_us))
    if 0 < index < hours.open_us.size and hours.open_us[index] == at_us:
        return int(hours.close_us[index - 1])
    return at_us


def _far_enough(
    spec: CalendarSpec, promises: Promises, row: int, first_us: int, at_us: int
) -> Expansion:
    mine = promises.calendar == row
    target_us = int(promises.target_us[mine].max(initial=0))
    days = int(promises.business_days[mine].max(initial=0))
    start = date(_utc(first_us).year - 1, 1, 1)
    for years in (1, 2, 4, 8, 16, 32, _YEARS_AHEAD):
        expansion = expand(spec, start, date(_utc(at_us).year + years, 12, 31))
        if spec.always_open:
            left_us, days_left, longest = expansion.until_us - at_us, 10**6, _DAY
        else:
            left_us = int((expansion.close_us - expansion.open_us.clip(at_us)).clip(0).sum())
            days_left = int((expansion.business_day > at_us // _DAY + 1).sum())
            longest = _longest_day_us(spec)
        if left_us > max(target_us, (days + 2) * longest) and days_left > days + 2:
            return expansion
    raise ValueError(
        f"{_YEARS_AHEAD} years of this calendar do not hold {target_us} µs or {days} business days"
    )


def _longest_day_us(spec: CalendarSpec) -> int:
    busiest = max(sum(end - start for start, end in day) for day in spec.hours)
    return (busiest + 60) * _MINUTE  # an hour may occur twice


def _local_intervals(
    spec: CalendarSpec, from_day: int, until_day: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the wall-clock intervals of the working days, sorted, in µs of local time."""
    import numpy as np

    days = np.arange(from_day, until_day, dtype=np.int64)
    off = np.array(sorted(d.toordinal() - _EPOCH for d in _days_off(spec, days)), np.int64)
    days = days[~np.isin(days, off)]
    opens, closes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for weekday, spans in enumerate(spec.hours):
        worked = days[(days + 3) % 7 == weekday] * _DAY  # 1970-01-01 was a Thursday
        opens += [worked + start * _MINUTE for start, _ in spans]
        closes += [worked + end * _MINUTE for _, end in spans]
    return np.sort(np.concatenate(opens)), np.sort(np.concatenate(closes))


def _days_off(spec: CalendarSpec, days: NDArray[np.int64]) -> set[date]:
    if spec.country is None or days.size == 0:
        return set(spec.closures)
    first, last = (date.fromordinal(int(day) + _EPOCH).year for day in (days[0], days[-1]))
    left_out = {name.casefold() for name in spec.holidays_left_out}
    return set(spec.closures) | {
        day
        for day, names in public_holidays(spec, first, last)
        if any(name.casefold() not in left_out for name in names)
    }


def _utc(instant_us: int) -> datetime:
    return datetime.fromtimestamp(instant_us // 1_000_000, UTC)
