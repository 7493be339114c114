"""The flat columns kernels read and write: events, the promise dimension, calendars, verdicts."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.codes import EventKind, PromiseClass

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
    """Dimension of promises: one row per promise version."""

    terms: NDArray[np.int64]  # (promises, 12), see the numbers below and the properties
    marks: NDArray[np.float64]  # (promises, 2) POINT: kept from this value on; counts as quality 1

    @property
    def cls(self) -> NDArray[np.int64]:
        """PromiseClass; (promises,)."""
        return self.terms[:, CLS]

    @property
    def calendar(self) -> NDArray[np.int64]:
        """Row of `Calendars`; (promises,)."""
        return self.terms[:, CALENDAR]

    @property
    def target_us(self) -> NDArray[np.int64]:
        """Working µs per priority, -1 = none; (promises, 4)."""
        return self.terms[:, TARGET : TARGET + PRIORITIES]

    @property
    def business_days(self) -> NDArray[np.int64]:
        """Business days per priority, instead of a target in µs, -1 = none; (promises, 4)."""
        return self.terms[:, DAYS : DAYS + PRIORITIES]

    @property
    def objective_ppm(self) -> NDArray[np.int64]:
        """Share to be kept; COVER: share to be staffed; (promises,)."""
        return self.terms[:, OBJECTIVE]


# Columns of `Promises.terms`
CLS, CALENDAR, TARGET, DAYS, OBJECTIVE, PAUSABLE, TERMS = 0, 1, 2, 6, 10, 11, 12


class Calendars(NamedTuple):
    """Working time of k calendars: a row of numbers each, and one array that they refer to."""

    head: NDArray[np.int64]  # (k, 13), see the numbers below
    data: NDArray[np.int64]  # intervals, day tables, offsets, business days, concatenated

    @property
    def always(self) -> NDArray[np.bool_]:
        """Around the clock: C(t) = t, intervals are not used; (k,)."""
        return self.head[:, ALWAYS] != 0

    @property
    def from_us(self) -> NDArray[np.int64]:
        """The expansion is complete from here …; (k,)."""
        return self.head[:, FROM]

    @property
    def until_us(self) -> NDArray[np.int64]:
        """… to here; beyond, a deadline is refused, never estimated; (k,)."""
        return self.head[:, UNTIL]


# Columns of `Calendars.head`. OPEN, CLOSE and BEFORE point at INTERVALS numbers each: sorted,
# disjoint intervals [open, close) and the working µs before each. DAY_TABLE points at the first
# interval that closes after each UTC midnight from day DAY_ZERO on; ZONE at OFFSETS instants from
# which an offset holds, followed by the offsets; BUSINESS at local day numbers with working time;
# INVERSE at the last interval that begins with at most so many steps of 2**STEP_BITS working µs.
ALWAYS, FROM, UNTIL, TOTAL, INTERVALS, OPEN, DAY_TABLE, DAY_ZERO = 0, 1, 2, 3, 4, 5, 6, 7
ZONE, OFFSETS, BUSINESS, BUSINESS_DAYS, INVERSE, HEAD = 8, 9, 10, 11, 12, 13
STEP_BITS = 34  # 4.8 h: one or two intervals of a working day; finer tables leave the cache

# A verdict as the kernels write it; `Verdicts` are views of these fields.
VERDICT = np.dtype(
    [
        ("promise", np.int32),
        ("unit", np.int32),
        ("part", np.int32),
        ("state", np.uint8),
        ("warn", np.uint8),
        ("started_us", np.int64),
        ("stopped_us", np.int64),
        ("target_us", np.int64),
        ("breach_us", np.int64),
        ("decided_us", np.int64),
        ("elapsed_us", np.int64),
        ("paused_us", np.int64),
        ("next_check_us", np.int64),
        ("quality", np.float64),
    ],
    align=True,
)


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
    next_check_us: NDArray[
        np.int64
    ]  # first time > T at which state or warn changes without an event
    quality: NDArray[np.float64]  # q in 0..1, NaN while undecided


class PromiseInput(NamedTuple):
    """One row of the promise dimension, as input of `promise_columns`."""

    cls: PromiseClass
    target_us: Sequence[int] = NO_TARGETS
    business_days: Sequence[int] = NO_TARGETS
    calendar: int = 0
    objective_ppm: int = 950_000
    pausable: bool = True
    pass_mark: float = 7.0
    full_mark: float = 10.0


class Event(NamedTuple):
    """One row of the event columns, as input of `event_columns`."""

    ts: int
    promise: int
    unit: int
    kind: EventKind
    priority: int = 0
    value: float = 0.0


def promise_columns(rows: Iterable[PromiseInput]) -> Promises:
    """Return columns of the promise dimension; ValueError when a row contradicts itself."""
    rows = list(rows)
    for row in rows:
        _check(row)
    terms = np.array(
        [
            (r.cls, r.calendar, *r.target_us, *r.business_days, r.objective_ppm, r.pausable)
            for r in rows
        ],
        np.int64,
    ).reshape(-1, TERMS)
    marks = np.array([(r.pass_mark, r.full_mark) for r in rows], np.float32).astype(np.float64)
    return Promises(terms, marks.reshape(-1, 2))


def event_columns(rows: Iterable[Event]) -> Events:
    """Return columns of events given in arrival order."""
    rows = list(rows)
    return Events(
        ts=np.array([r.ts for r in rows], np.int64),
        promise=np.array([r.promise for r in rows], np.int32),
        unit=np.array([r.unit for r in rows], np.int32),
        kind=np.array([r.kind for r in rows], np.uint8),
        priority=np.array([r.priority for r in rows], np.uint8),
        value=np.array([r.value for r in rows], np.float32),
    )


def _check(row: PromiseInput) -> None:
    if len(row.target_us) != PRIORITIES or len(row.business_days) != PRIORITIES:
        raise ValueError(f"a promise has {PRIORITIES} targets, one per priority: {row}")
    if any(t >= 0 and d >= 0 for t, d in zip(row.target_us, row.business_days, strict=True)):
        raise ValueError(f"a target is elapsed time or business days, not both: {row}")
    if any(t < -1 for t in (*row.target_us, *row.business_days)):
        raise ValueError(f"a target is at least 0, or -1 for none: {row}")
    if any(t > 10**17 for t in row.target_us):
        raise ValueError(f"a target is at most 3,000 years: {row}")
    if not 0 <= row.objective_ppm <= 1_000_000:
        raise ValueError(f"an objective is between 0 and 1,000,000 ppm: {row}")
    if row.cls is PromiseClass.POINT and not row.full_mark > 0:
        raise ValueError(f"the full mark of a measured value is above 0: {row}")
