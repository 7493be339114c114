"""The flat columns kernels read and write: events, the promise dimension, calendars, verdicts."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.kinds import EventKind, PromiseClass

PRIORITIES = 4
NO_TARGETS = (-1, -1, -1, -1)


class Events(NamedTuple):
    """Service events in arrival order: the position in the columns is `seq`."""

    ts: NDArray[np.int64]  # (events,) µs since 1970-01-01Z
    promise: NDArray[np.int32]  # (events,) row of the promise dimension
    unit: NDArray[np.int32]  # (events,) incident, shift, … inside the promise; -1 for points
    kind: NDArray[np.uint8]  # (events,) EventKind
    priority: NDArray[np.uint8]  # (events,) 0..3, read from START and PRIORITY only
    value: NDArray[np.float32]  # (events,) read from MEASURE only


class Promises(NamedTuple):
    """What was promised: one row per promise version."""

    cls: NDArray[np.uint8]  # (promises,) PromiseClass
    calendar: NDArray[np.int32]  # (promises,) row of `Calendars`
    target_us: NDArray[np.int64]  # (promises, 4) working µs per priority, -1 = none
    business_days: NDArray[np.int32]  # (promises, 4) instead of target_us, -1 = none
    objective_ppm: NDArray[np.int64]  # (promises,) share to be kept; COVER: share to be staffed
    pausable: NDArray[np.bool_]  # (promises,) False: PAUSE and RESUME are ignored
    pass_mark: NDArray[np.float32]  # (promises,) POINT: kept from this value on
    full_mark: NDArray[np.float32]  # (promises,) POINT: the value that counts as quality 1


class Calendars(NamedTuple):
    """Working time of k calendars, flattened; rows of calendar c are `first[c]:first[c + 1]`."""

    always: NDArray[np.bool_]  # (k,) around the clock: C(t) = t, no intervals are read
    from_us: NDArray[np.int64]  # (k,) the expansion is complete from here …
    until_us: NDArray[np.int64]  # (k,) … to here; beyond, a deadline is refused, never guessed
    interval_first: NDArray[np.int64]  # (k + 1,)
    open_us: NDArray[np.int64]  # (intervals,) sorted, disjoint, not touching
    close_us: NDArray[np.int64]  # (intervals,) exclusive
    before_us: NDArray[np.int64]  # (intervals,) working µs before this interval opens
    total_us: NDArray[np.int64]  # (k,) working µs of the whole expansion
    day_first: NDArray[np.int64]  # (k + 1,)
    day_zero: NDArray[np.int64]  # (k,) UTC day number of the first row of the day table
    day_interval: NDArray[np.int64]  # (days,) first interval that closes after this UTC midnight
    zone_first: NDArray[np.int64]  # (k + 1,)
    zone_from_us: NDArray[np.int64]  # (offsets,) instant from which this offset holds
    zone_offset_us: NDArray[np.int64]  # (offsets,) local wall clock minus UTC
    business_first: NDArray[np.int64]  # (k + 1,)
    business_day: NDArray[np.int64]  # (days,) local day numbers with working time


class Verdicts(NamedTuple):
    """One row per measured part, ordered by promise, unit, part; instants in µs, -1 = none."""

    promise: NDArray[np.int32]
    unit: NDArray[np.int32]
    part: NDArray[np.int32]  # 0; UPDATE and POINT: 0, 1, 2 … within the unit
    state: NDArray[np.uint8]  # State
    warn: NDArray[np.uint8]  # warn thresholds reached at T
    started_us: NDArray[np.int64]
    stopped_us: NDArray[np.int64]  # -1 while open
    target_us: NDArray[np.int64]  # in force: at the breach when late, else at T
    breach_us: NDArray[np.int64]  # late: B; running: the next deadline; kept: the deadline it met
    decided_us: NDArray[np.int64]  # τ, -1 while undecided
    elapsed_us: NDArray[np.int64]  # m; COVER: staffed µs inside the plan
    paused_us: NDArray[np.int64]  # wall clock, open and paused
    next_check_us: NDArray[np.int64]  # first instant > T at which state or warn changes by itself
    quality: NDArray[np.float64]  # q in 0..1, NaN while undecided


class Promise(NamedTuple):
    """One row of the promise dimension, to be turned into columns by `promise_columns`."""

    cls: PromiseClass
    target_us: Sequence[int] = NO_TARGETS
    business_days: Sequence[int] = NO_TARGETS
    calendar: int = 0
    objective_ppm: int = 950_000
    pausable: bool = True
    pass_mark: float = 7.0
    full_mark: float = 10.0


class Event(NamedTuple):
    """One row of the event columns, to be turned into columns by `event_columns`."""

    ts: int
    promise: int
    unit: int
    kind: EventKind
    priority: int = 0
    value: float = 0.0


def promise_columns(rows: Iterable[Promise]) -> Promises:
    """Columns of the promise dimension; ValueError when a row contradicts itself."""
    rows = list(rows)
    for row in rows:
        _check(row)
    return Promises(
        cls=np.array([r.cls for r in rows], np.uint8),
        calendar=np.array([r.calendar for r in rows], np.int32),
        target_us=np.array([tuple(r.target_us) for r in rows], np.int64).reshape(-1, PRIORITIES),
        business_days=np.array([tuple(r.business_days) for r in rows], np.int32).reshape(
            -1, PRIORITIES
        ),
        objective_ppm=np.array([r.objective_ppm for r in rows], np.int64),
        pausable=np.array([r.pausable for r in rows], np.bool_),
        pass_mark=np.array([r.pass_mark for r in rows], np.float32),
        full_mark=np.array([r.full_mark for r in rows], np.float32),
    )


def event_columns(rows: Iterable[Event]) -> Events:
    """Columns of events given in arrival order."""
    rows = list(rows)
    return Events(
        ts=np.array([r.ts for r in rows], np.int64),
        promise=np.array([r.promise for r in rows], np.int32),
        unit=np.array([r.unit for r in rows], np.int32),
        kind=np.array([r.kind for r in rows], np.uint8),
        priority=np.array([r.priority for r in rows], np.uint8),
        value=np.array([r.value for r in rows], np.float32),
    )


def _check(row: Promise) -> None:
    if len(row.target_us) != PRIORITIES or len(row.business_days) != PRIORITIES:
        raise ValueError(f"a promise has {PRIORITIES} targets, one per priority: {row}")
    if any(t >= 0 and d >= 0 for t, d in zip(row.target_us, row.business_days, strict=True)):
        raise ValueError(f"a target is elapsed time or business days, not both: {row}")
    if any(t < -1 for t in (*row.target_us, *row.business_days)):
        raise ValueError(f"a target is at least 0, or -1 for none: {row}")
    if not 0 <= row.objective_ppm <= 1_000_000:
        raise ValueError(f"an objective is between 0 and 1,000,000 ppm: {row}")
    if row.cls is PromiseClass.POINT and not row.full_mark > 0:
        raise ValueError(f"the full mark of a measured value is above 0: {row}")
