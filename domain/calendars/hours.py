"""Read the working hours of a week, also those that run over midnight."""

from collections.abc import Mapping
from typing import Any

Minutes = tuple[int, int]  # [start, end) minutes of a local day, 0..1440
Week = tuple[tuple[Minutes, ...], ...]  # Monday first

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 1440


def week_of(stored: object) -> Week:
    """Parse `{"mon": [["09:00", "17:00"]]}`; ValueError on invalid input.

    An interval that ends at or before its start runs over midnight: `["22:00", "06:00"]` is the rest of that day and
    the next day until 06:00. An end of `00:00` is midnight, as `24:00` is. Each part belongs to its own day, also for
    holidays and closures.
    """
    days: Mapping[object, Any] = stored if isinstance(stored, Mapping) else {"": stored}
    unknown = sorted(str(day) for day in days if day not in WEEKDAYS)
    if unknown or not all(isinstance(spans, list | tuple) for spans in days.values()):
        raise ValueError(f'hours are like {{"mon": [["09:00", "17:00"]]}}, not {stored!r}')
    found: list[list[Minutes]] = [[] for _ in WEEKDAYS]
    for number, day in enumerate(WEEKDAYS):
        for span in days.get(day, ()):
            start, end = _span(day, span)
            if start < end:
                found[number].append((start, end))
                continue
            found[number].append((start, MIDNIGHT))
            if end:
                found[(number + 1) % 7].append((0, end))
    return tuple(tuple(sorted(spans)) for spans in found)


def clock(minute: int) -> str:
    """Format a minute of the day as `08:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _span(day: str, span: object) -> Minutes:
    if not isinstance(span, list | tuple) or len(span) != 2:
        raise ValueError(f"{day}: an interval needs a start and an end")
    start, end = _minute(span[0]), _minute(span[1])
    if start == MIDNIGHT:
        raise ValueError(f"{day}: an interval must begin before 24:00")
    if start == end and start:
        raise ValueError(f"{day}: an interval must not end when it begins: {clock(start)}")
    return start, end


def _minute(text: object) -> int:
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 2 or not all(len(p) == 2 and p.isascii() and p.isdigit() for p in parts):
        raise ValueError(f"a time of day is like 08:30: {text!r}")
    hour, minute = int(parts[0]), int(parts[1])
    if minute > 59 or hour * 60 + minute > MIDNIGHT:
        raise ValueError(f"invalid time of day: {text}")
    return hour * 60 + minute
