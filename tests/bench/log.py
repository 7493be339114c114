"""A synthetic log: 400 days, both changes of the clock, a few large promises and many small ones.

FLOW on office hours and around the clock with pauses and reopenings, DUE, POINT; 2 % of the events
arrive up to days late. One START per unit, targets in elapsed time: what a data frame library can
still be asked to evaluate.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.calendars.rules import calendars_for
from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.codes import EventKind, PromiseClass
from domain.evaluator.kernels.columns import (
    Calendars,
    Events,
    PromiseInput,
    Promises,
    promise_columns,
)
from domain.evaluator.kernels.windows import Spans
from domain.quality.actions import spans_of
from domain.quality.windows import Local, span_columns

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
FIRST_US = 1_761_955_200_000_000  # 2025-11-01T00:00Z
DAYS = 400
AT_US = FIRST_US + DAYS * DAY
LOCAL = Local("UTC", date(2025, 11, 1))
SPECS = [
    CalendarSpec("Europe/Amsterdam", always_open=True),
    CalendarSpec("Europe/Amsterdam", hours=(((540, 1020),),) * 5 + ((), ()), country="NL"),
    CalendarSpec("Europe/Amsterdam", hours=(((480, 720), (780, 1080)),) * 6 + ((),), country="NL"),
]


class Log(NamedTuple):
    """A log, what was promised, and the windows that the product measures."""

    events: Events
    promises: Promises
    calendars: Calendars
    spans: Spans
    at_us: int


def synthetic(events: int, *, promises: int = 0, seed: int = 1) -> Log:
    """About `events` events of skewed promises, in order of arrival."""
    rng = np.random.default_rng(seed)
    p = promises or max(12, events // 25_000)
    dimension = promise_columns(_promise(i) for i in range(p))
    share = 1.0 / np.arange(1, p + 1) ** 0.8
    units = rng.multinomial(int(events / 2.45), share / share.sum())
    promise = np.repeat(np.arange(p, dtype=np.int32), units)
    first = np.cumsum(units) - units
    unit = (np.arange(promise.size) - first[promise]).astype(np.int32)
    start = (
        FIRST_US
        + np.sort(rng.integers(0, DAYS * DAY, promise.size))[
            np.argsort(rng.random(promise.size), kind="stable")
        ]
    )
    start = start[np.lexsort((start, promise))]
    columns = _told(rng, dimension, promise, unit, start)
    late = np.where(rng.random(columns[0].size) < 0.02, rng.exponential(DAY, columns[0].size), 0)
    arrival = np.argsort(columns[0] + late.astype(np.int64), kind="stable")
    ordered = Events._make(column[arrival] for column in columns)
    return Log(
        ordered,
        dimension,
        calendars_for(SPECS, dimension, int(ordered.ts.min()), AT_US),
        span_columns(spans_of(LOCAL, FIRST_US, AT_US))[1],
        AT_US,
    )


def _promise(i: int) -> PromiseInput:
    objective = (900_000, 950_000, 990_000)[i % 3]
    hours = tuple(h * HOUR for h in ((1, 2, 4, 8), (4, 8, 16, 24), (2, 4, 8, 40))[i % 3])
    if i % 10 == 7:
        return PromiseInput(PromiseClass.POINT, objective_ppm=objective)
    if i % 10 in (3, 8):
        return PromiseInput(PromiseClass.DUE, (5 * MINUTE,) * 4, objective_ppm=objective)
    return PromiseInput(PromiseClass.FLOW, hours, calendar=i % 3, objective_ppm=objective)


def _told(
    rng: np.random.Generator,
    dimension: Promises,
    promise: NDArray[np.int32],
    unit: NDArray[np.int32],
    start: NDArray[np.int64],
) -> tuple[NDArray[np.int64], ...]:
    """The columns of every unit's events, step by step of its story."""
    n = promise.size
    cls = dimension.cls[promise]
    flow, due, point = (cls == c for c in (PromiseClass.FLOW, PromiseClass.DUE, PromiseClass.POINT))
    priority = rng.choice(4, n, p=[0.1, 0.2, 0.4, 0.3]).astype(np.uint8)
    value = rng.integers(4, 11, n).astype(np.float32)
    work = rng.exponential(3 * HOUR, n).astype(np.int64) + MINUTE
    pauses, stops = flow & (rng.random(n) < 0.2), flow & (rng.random(n) < 0.985)
    reopens = stops & (rng.random(n) < 0.05)
    hold = start + work // 3
    back = hold + rng.exponential(6 * HOUR, n).astype(np.int64)
    stop = np.where(pauses, back, hold) + work // 3
    again = stop + rng.exponential(20 * HOUR, n).astype(np.int64)
    done = start + rng.normal(-2 * MINUTE, 4 * MINUTE, n).astype(np.int64)
    story = (
        (flow | due, start, EventKind.START),
        (pauses, hold, EventKind.PAUSE),
        (pauses, back, EventKind.RESUME),
        (stops, stop, EventKind.STOP),
        (reopens, again, EventKind.REOPEN),
        (reopens, again + work // 4 + 1, EventKind.STOP),
        (due & (rng.random(n) < 0.99), done, EventKind.STOP),
        (point, start, EventKind.MEASURE),
    )
    parts = [
        (ts[who], promise[who], unit[who], np.full(who.sum(), kind, np.uint8), priority[who],
         value[who])
        for who, ts, kind in story
    ]  # fmt: skip
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
