"""Measured windows: those on an account's calendar around a time, and those before them."""

from calendar import isleap
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from dateutil.relativedelta import relativedelta

from domain.evaluator.kernels.expansion import midnight
from domain.evaluator.kernels.windows import Spans
from domain.quality.model import Window

DAY = 86_400_000_000
CALENDAR = (Window.DAY, Window.WEEK, Window.MONTH, Window.QUARTER, Window.CONTRACT_YEAR)
ROLLING = {Window.LAST_24H: DAY, Window.LAST_7D: 7 * DAY, Window.LAST_28D: 28 * DAY}
_ORDER = tuple(Window)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(us: int) -> datetime:
    """Convert µs to an aware datetime."""
    return _EPOCH + timedelta(microseconds=us)


class Local(NamedTuple):
    """The calendar of an account: where its days begin, and its contract years."""

    zone: str
    year_starts: date  # the first day of its first agreement; only month and day matter


class WindowSpan(NamedTuple):
    """One window [from, until), µs."""

    window: Window
    from_us: int
    until_us: int


def span_at(window: Window, local: Local, at_us: int) -> WindowSpan:
    """Return the window of this kind that contains a time; a rolling one ends at the time."""
    if window in ROLLING:
        return WindowSpan(window, at_us - ROLLING[window], at_us)
    first = _first_day(window, _local_day(local.zone, at_us), local.year_starts)
    last = _next(window, first, local.year_starts)
    return WindowSpan(window, midnight(local.zone, first), midnight(local.zone, last))


def before(span: WindowSpan, local: Local) -> WindowSpan:
    """Return the window of the same kind that ends where this one begins."""
    if span.window in ROLLING:
        return WindowSpan(span.window, span.from_us - ROLLING[span.window], span.from_us)
    return span_at(span.window, local, span.from_us - 1)


def windows_touching(
    window: Window, local: Local, first_us: int, last_us: int
) -> Iterator[WindowSpan]:
    """Return every calendar window of a kind that touches [first_us, last_us], in order."""
    span = span_at(window, local, first_us)
    while span.from_us <= last_us:
        yield span
        span = span_at(window, local, span.until_us)


def span_columns(spans: Iterable[WindowSpan]) -> tuple[Sequence[WindowSpan], Spans]:
    """Return the distinct spans, in the order of the kernel's rows, and as its columns."""
    ordered = sorted(set(spans), key=lambda s: (_ORDER.index(s.window), s.from_us, s.until_us))
    kinds = np.array([_ORDER.index(span.window) for span in ordered], np.int64)
    until_us = np.array([span.until_us for span in ordered], np.int64)
    ends_us, end = np.unique(until_us, return_inverse=True)
    return ordered, Spans(
        kind=kinds.astype(np.uint8),
        kind_first=np.searchsorted(kinds, np.arange(len(_ORDER) + 1)).astype(np.int64),
        from_us=np.array([span.from_us for span in ordered], np.int64),
        until_us=until_us,
        end=end.astype(np.int64),
        ends_us=ends_us,
    )


def _local_day(zone: str, at_us: int) -> date:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).astimezone(ZoneInfo(zone)).date()


def _first_day(window: Window, day: date, year_starts: date) -> date:
    if window is Window.DAY:
        return day
    if window is Window.WEEK:
        return day - timedelta(days=day.weekday())
    if window is Window.CONTRACT_YEAR:
        this_year = anniversary(year_starts, day.year)
        return this_year if this_year <= day else anniversary(year_starts, day.year - 1)
    return day.replace(
        day=1, month=day.month if window is Window.MONTH else (day.month - 1) // 3 * 3 + 1
    )


def anniversary(start: date, year: int) -> date:
    """Return the day of `year` on which a contract of `start` begins its next year; of 29 February often 1 March."""
    if (start.month, start.day) == (2, 29):
        return date(year, 3, 1) - timedelta(days=isleap(year))
    return start.replace(year=year)


def _next(window: Window, first: date, year_starts: date) -> date:
    if window in {Window.DAY, Window.WEEK}:
        return first + timedelta(days=1 if window is Window.DAY else 7)
    if window is Window.CONTRACT_YEAR:
        return anniversary(year_starts, first.year + 1)
    return first + relativedelta(months=1 if window is Window.MONTH else 3)
