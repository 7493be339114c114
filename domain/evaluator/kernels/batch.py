"""Compute verdicts: events, promises and calendars in, one row per measured part out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.columns import VERDICT, Calendars, Events, Promises, Verdicts
from domain.evaluator.kernels.compilation import kernel
from domain.evaluator.kernels.judge import PPM, Rows, judge
from domain.evaluator.kernels.layout import Sealed, seal
from domain.evaluator.kernels.working_time import BEYOND

WARN_PPM = (500_000, 750_000, 900_000)
OUTSIDE, PRIORITY, KIND = 1, 2, 3
KINDS = (np.int64, np.int32, np.int32, np.uint8, np.uint8, np.float32)  # of `Events`


class HorizonTooShort(ValueError):
    """A calendar's expansion ends before a time that is needed: expand it further."""


def verdicts(
    events: Events,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    warn_ppm: Sequence[int] = WARN_PPM,
) -> Verdicts:
    """Evaluate every part that the events with `ts <= at_us` make measurable."""
    events = checked(events, promises, calendars)
    return columns_of(judged(seal(events, promises), promises, calendars, at_us, warn_ppm))


def judged(
    sealed: Sealed,
    promises: Promises,
    calendars: Calendars,
    at_us: int,
    warn_ppm: Sequence[int] = WARN_PPM,
) -> Rows:
    """Evaluate a log that is already in the kernel's layout; see `verdicts` for the rows and the errors."""
    if list(warn_ppm) != sorted(warn_ppm) or not all(0 < ppm <= PPM for ppm in warn_ppm):
        raise ValueError(f"warn thresholds ascend within 1..1,000,000 ppm: {warn_ppm}")
    check_horizon(sealed.ts, promises, calendars, at_us)
    out = empty_rows(sealed.ts.size)
    warn = np.array(warn_ppm, np.int64)
    n = judge(sealed, promises, calendars, at_us, warn, out, 0, promises.terms.shape[0])
    return within_horizon(out[:n])


def within_horizon(rows: Rows) -> Rows:
    """Refuse rows whose deadline could not be computed."""
    refused = np.flatnonzero(rows.breach_us == BEYOND)
    if refused.size:
        raise HorizonTooShort(
            f"the deadline of promise {rows.promise[refused[0]]} lies beyond its calendar"
        )
    return rows


def empty_rows(capacity: int) -> Rows:
    """Allocate at most `capacity` rows; a part needs at least one event."""
    return np.recarray(capacity, VERDICT)


def columns_of(rows: Rows) -> Verdicts:
    """Return views of the fields; nothing is copied."""
    plain = rows.view(np.ndarray)
    return Verdicts._make(plain[name] for name in Verdicts._fields)


def checked(events: Events, promises: Promises, calendars: Calendars) -> Events:
    """Refuse columns a kernel would read out of bounds, with a ValueError; return what it reads.

    Columns of another type, or read-only ones such as Arrow's, are copied: for each combination of
    types numba would compile every kernel again.
    """
    events = Events._make(_plain(c, kind) for c, kind in zip(events, KINDS, strict=True))
    if not (
        events.ts.size
        == events.promise.size
        == events.unit.size
        == events.kind.size
        == events.priority.size
        == events.value.size
    ):
        raise ValueError("event columns differ in length")
    fault = _fault(events, promises.terms.shape[0])
    if fault == OUTSIDE:
        raise ValueError("an event names a promise outside the dimension")
    if fault == PRIORITY:
        raise ValueError("a priority is 0..3")
    if fault == KIND:
        raise ValueError("an event kind is below 16")
    k = calendars.always.size
    if promises.calendar.size and not 0 <= promises.calendar.min() <= promises.calendar.max() < k:
        raise ValueError("a promise names a calendar outside the columns")
    return events


def _plain(column: Any, kind: type) -> NDArray[Any]:
    if column.dtype == kind and column.flags.carray:
        return column
    return np.require(column, kind, ("C", "W"))


@kernel
def _fault(events: Events, promises: int) -> int:
    """Return the first invalid index of the columns, in one pass."""
    for i in range(events.ts.size):
        if events.promise[i] < 0 or events.promise[i] >= promises:
            return OUTSIDE
        if events.priority[i] > 3:
            return PRIORITY
        if events.kind[i] > 15:
            return KIND
    return 0


def horizon(promises: Promises, calendars: Calendars) -> tuple[int, int]:
    """Return the period in which every used working calendar is expanded, µs."""
    used = np.unique(promises.calendar)
    used = used[~calendars.always[used]]
    if used.size == 0:
        return -BEYOND, BEYOND
    return int(calendars.from_us[used].max()), int(calendars.until_us[used].min())


def check_horizon(
    ts: NDArray[np.int64], promises: Promises, calendars: Calendars, at_us: int
) -> None:
    """Refuse times outside the expansions that count working hours."""
    if ts.size == 0:
        return
    within = horizon(promises, calendars)
    first = min(int(ts.min()), at_us)
    if first < within[0] or at_us >= within[1]:
        raise HorizonTooShort(f"{first}..{at_us} µs is more than the calendars were expanded to")
