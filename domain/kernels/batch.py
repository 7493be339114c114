"""The one way to a verdict: events, promises and calendars in, a row per measured part out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.kernels.clock import BEYOND
from domain.kernels.columns import VERDICT, Calendars, Events, Promises, Verdicts
from domain.kernels.judge import PPM, Rows, judge
from domain.kernels.layout import seal

WARN_PPM = (500_000, 750_000, 900_000)
KINDS = (np.int64, np.int32, np.int32, np.uint8, np.uint8, np.float32)  # of `Events`


class HorizonTooShort(ValueError):
    """A calendar's expansion ends before an instant that is needed: expand it further."""


def verdicts(
    events: Events,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    warn_ppm: Sequence[int] = WARN_PPM,
) -> Verdicts:
    """Judge every part that the events with `ts <= at_us` make measurable.

    The same kernel serves one unit and a million; rows come by promise, unit, part. Raises
    HorizonTooShort when an event, `at_us` or a deadline lies outside a calendar's expansion and
    ValueError for warn thresholds that do not ascend within 1..1,000,000 ppm.
    """
    return columns_of(judged(events, promises, calendars, at_us, warn_ppm))


def judged(
    events: Events,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    warn_ppm: Sequence[int] = WARN_PPM,
) -> Rows:
    """Return what `verdicts` returns, as records: the form other kernels read."""
    if list(warn_ppm) != sorted(warn_ppm) or not all(0 < ppm <= PPM for ppm in warn_ppm):
        raise ValueError(f"warn thresholds ascend within 1..1,000,000 ppm: {warn_ppm}")
    events = checked(events, promises, calendars)
    sealed = seal(events, promises)
    check_horizon(sealed.ts, promises, calendars, at_us)
    out = empty_rows(sealed.ts.size)
    warn = np.array(warn_ppm, np.int64)
    n = judge(sealed, promises, calendars, at_us, warn, out, 0, promises.cls.size)
    return within_horizon(out[:n])


def within_horizon(rows: Rows) -> Rows:
    """Refuse rows of which a deadline could not be computed."""
    beyond = np.flatnonzero(rows.breach_us == BEYOND)
    if beyond.size:
        promise = int(rows.promise[beyond[0]])
        raise HorizonTooShort(f"the deadline of promise {promise} lies beyond its calendar")
    return rows


def records_of(rows: Verdicts) -> Rows:
    """Copy columns into records, the inverse of `columns_of`."""
    records = empty_rows(rows.promise.size)
    for name, column in rows._asdict().items():
        records[name] = column
    return records


def empty_rows(capacity: int) -> Rows:
    """Room for at most `capacity` rows; a part needs at least one event."""
    return np.recarray(capacity, VERDICT)


def columns_of(rows: Rows) -> Verdicts:
    """Views of the fields; nothing is copied."""
    plain = rows.view(np.ndarray)
    return Verdicts._make(plain[name] for name in Verdicts._fields)


def checked(events: Events, promises: Promises, calendars: Calendars) -> Events:
    """Refuse columns a kernel would read out of bounds, with a ValueError; return what it reads.

    Columns of another type, or read-only ones such as Arrow's, are copied: for each combination of
    types numba would compile every kernel again.
    """
    events = Events._make(
        np.require(column, kind, ("C", "W")) for column, kind in zip(events, KINDS, strict=True)
    )
    if len({column.size for column in events}) > 1:
        raise ValueError("event columns differ in length")
    if events.ts.size and (events.promise.min() < 0 or events.promise.max() >= promises.cls.size):
        raise ValueError("an event names a promise outside the dimension")
    if events.ts.size and events.priority.max() > 3:
        raise ValueError("a priority is 0..3")
    if events.ts.size and events.kind.max() > 15:
        raise ValueError("an event kind is below 16")
    k = calendars.always.size
    if promises.calendar.size and not 0 <= promises.calendar.min() <= promises.calendar.max() < k:
        raise ValueError("a promise names a calendar outside the columns")
    return events


def check_horizon(
    ts: NDArray[np.int64], promises: Promises, calendars: Calendars, at_us: int
) -> None:
    """Refuse instants outside the expansions that count working hours."""
    used = np.unique(promises.calendar)
    used = used[~calendars.always[used]]
    if used.size == 0 or ts.size == 0:
        return
    first, last = min(int(ts.min()), at_us), at_us
    if first < calendars.from_us[used].max() or last >= calendars.until_us[used].min():
        raise HorizonTooShort(f"{first}..{last} µs is more than the calendars were expanded to")
