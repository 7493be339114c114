"""Which windows there are: calendar windows of a zone, and rolling ones at every midnight."""

from calendar import isleap
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.kernels.expansion import midnight

DAY = 86_400_000_000


class Window(IntEnum):
    """The kinds of windows, in the order of their rows."""

    DAY = 0
    WEEK = 1  # ISO: Monday to Monday
    MONTH = 2
    QUARTER = 3
    YEAR = 4  # the contract's
    LAST_24H = 5
    LAST_7D = 6
    LAST_28D = 7


ROLLING = ((Window.LAST_24H, DAY), (Window.LAST_7D, 7 * DAY), (Window.LAST_28D, 28 * DAY))


class Spans(NamedTuple):
    """Windows [from, until) of one zone, by kind and then by time."""

    kind: NDArray[np.uint8]  # (spans,) Window
    kind_first: NDArray[np.int64]  # (kinds + 1,)
    from_us: NDArray[np.int64]  # (spans,) ascending within a kind
    until_us: NDArray[np.int64]  # (spans,) ascending within a kind
    end: NDArray[np.int64]  # (spans,) row of `ends_us` that is this window's end
    ends_us: NDArray[np.int64]  # (ends,) every end once, ascending


def spans_for(zone: str, first_us: int, at_us: int, *, year_starts: date | None = None) -> Spans:
    """Windows that touch [first_us, at_us] on the calendar of `zone`.

    Contract years begin on the month and day of `year_starts` (29 February: 1 March in other
    years; None: 1 January). Calendar windows that are under way at `at_us` are included; rolling
    windows end at every local midnight in the range and at `at_us` itself.
    """
    first, last = (_local_day(zone, instant) for instant in (first_us, at_us))
    start = year_starts or date(first.year, 1, 1)
    edges = {
        Window.DAY: [first + timedelta(days=i) for i in range((last - first).days + 2)],
        Window.WEEK: list(_weeks(first, last)),
        Window.MONTH: list(_months(first, last, 1)),
        Window.QUARTER: list(_months(first, last, 3)),
        Window.YEAR: list(_years(first, last, start)),
    }
    rows: list[tuple[int, int, int]] = []
    for kind, days in edges.items():
        instants = [midnight(zone, day) for day in days]
        rows += [(kind, a, b) for a, b in pairwise(instants)]
    midnights = [until for kind, _, until in rows if kind == Window.DAY]
    ends = sorted({end for end in midnights if end <= at_us} | {at_us})
    for kind, width in ROLLING:
        rows += [(kind, end - width, end) for end in ends]
    kinds, from_us, until_us = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    ends_us, end = np.unique(until_us, return_inverse=True)
    return Spans(
        kind=kinds.astype(np.uint8),
        kind_first=np.searchsorted(kinds, np.arange(len(Window) + 1)).astype(np.int64),
        from_us=from_us,
        until_us=until_us,
        end=end.astype(np.int64),
        ends_us=ends_us,
    )


def _local_day(zone: str, instant_us: int) -> date:
    wall = datetime.fromtimestamp(instant_us // 1_000_000, UTC).astimezone(ZoneInfo(zone))
    return wall.date()


def _weeks(first: date, last: date) -> Iterator[date]:
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield monday
        monday += timedelta(days=7)
    yield monday


def _months(first: date, last: date, step: int) -> Iterator[date]:
    month = first.year * 12 + (first.month - 1) // step * step
    while (edge := date(month // 12, month % 12 + 1, 1)) <= last:
        yield edge
        month += step
    yield edge


def _years(first: date, last: date, start: date) -> Iterator[date]:
    year = first.year
    if anniversary(start, year) > first:
        year -= 1
    while (edge := anniversary(start, year)) <= last:
        yield edge
        year += 1
    yield edge


def anniversary(start: date, year: int) -> date:
    """The day of `year` on which a contract of `start` begins its next year; of 29 February often 1 March."""
    if (start.month, start.day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=isleap(year))
    return start.replace(year=year)
