"""The evaluation as one writes it in NumPy: one sort, segments, searches; loops over promises."""

import numpy as np

from domain.evaluator.kernels.burn_rate import ENOUGH, PAGE, TICKET
from tests.bench.answers import DUE, FLOW, POINT, Answers, Floats, Ints, intervals
from tests.bench.log import DAY, MINUTE, Log

BURN = ((144, 60, 5, PAGE), (60, 360, 30, PAGE), (10, 4320, 360, TICKET))  # tenths, minutes


class Worked:
    """C(t) and its right inverse for many instants, by calendar."""

    def __init__(self, log: Log) -> None:
        rows = intervals(log.calendars)
        self.always = log.calendars.always
        self.by = [
            {c: rows[c][rows["calendar"] == k] for c in ("open", "close", "before")}
            for k in range(self.always.size)
        ]

    def working(self, calendar: Ints, t: Ints) -> Ints:
        c = t.copy()
        for k in np.flatnonzero(~self.always):
            mine, w = calendar == k, self.by[k]
            i = np.searchsorted(w["open"], t[mine], side="right") - 1
            c[mine] = w["before"][i] + np.minimum(t[mine], w["close"][i]) - w["open"][i]
        return c

    def instant(self, calendar: Ints, c: Ints) -> Ints:
        t = c.copy()
        for k in np.flatnonzero(~self.always):
            mine, w = calendar == k, self.by[k]
            i = np.searchsorted(w["before"], c[mine], side="right") - 1
            t[mine] = w["open"][i] + c[mine] - w["before"][i]
        return t


def evaluate(log: Log) -> Answers:
    """Everything `ours` answers."""
    e, p = log.events, log.promises.cls.size
    seen = e.ts <= log.at_us
    order = np.flatnonzero(seen)
    order = order[np.lexsort((e.ts[order], e.unit[order], e.promise[order]))]
    ts, promise, unit = e.ts[order], e.promise[order].astype(np.int64), e.unit[order]
    kind, value = e.kind[order], e.value[order].astype(np.float64)
    target = log.promises.target_us[promise, e.priority[order]]
    cls = log.promises.cls[promise]
    parts: list[tuple[np.ndarray, ...]] = [
        _flow(log, *(c[cls == FLOW] for c in (ts, promise, unit, kind, target))),
        _due(log, *(c[cls == DUE] for c in (ts, promise, unit, kind, target))),
    ]
    point = cls == POINT
    none, q = np.zeros(point.sum(), np.int64), value[point] / 10
    parts.append((promise[point], ts[point], none, value[point] >= 7, q, none > 0, none > 0))
    whose, tau, m, kept, q, running, paused = (np.concatenate(c) for c in zip(*parts, strict=True))
    done = tau >= 0
    decided = [c[done] for c in (whose, tau, m, kept, q)]
    sort = np.lexsort((decided[1], decided[0]))
    decided = [c[sort] for c in decided]
    first = np.searchsorted(decided[0], np.arange(p + 1))
    windows, burn = [], np.zeros(p, np.int64)
    for i in range(p):
        mine = [c[first[i] : first[i + 1]] for c in decided[1:]]
        if mine[0].size:
            windows.append(_windows(log, i, *mine))
            burn[i] = _burn(mine[0], mine[2], int(log.promises.objective_ppm[i]), log.at_us)
    columns = [np.concatenate(c) for c in zip(*windows, strict=True)]
    return Answers._make(
        (
            *columns,
            np.bincount(whose[running], minlength=p),
            np.bincount(whose[paused], minlength=p),
            burn,
            np.sort(tau[done & ~kept]),
        )
    )


def _edges(promise: Ints, unit: Ints) -> Ints:
    """First row of every unit."""
    new = (promise[1:] != promise[:-1]) | (unit[1:] != unit[:-1])
    return np.flatnonzero(np.concatenate([[True], new])) if promise.size else np.zeros(0, np.int64)


def _last_of(marks: Ints, first: Ints, n: int) -> Ints:
    """For each row, the last row up to it with a mark in the same unit, or -1."""
    rows = np.where(marks != 0, np.arange(n), -1)
    start = np.repeat(first, np.diff(np.append(first, n)))
    last = np.maximum.accumulate(rows)
    return np.where(last >= start, last, -1)


def _flow(
    log: Log, ts: Ints, promise: Ints, unit: Ints, kind: Ints, target: Ints
) -> tuple[Ints, ...]:
    worked, n, first = Worked(log), ts.size, _edges(promise, unit)
    calendar = log.promises.calendar[promise]
    last = np.append(first[1:], n) - 1
    c = worked.working(calendar, ts)
    after = np.append(c[1:], 0)
    after[last] = worked.working(calendar[last], np.full(last.size, log.at_us))
    opens = np.isin(kind, (1, 5)) * 1 + (kind == 2) * 2
    holds = (kind == 3) * 1 + (kind == 4) * 2
    was_open, was_held = _last_of(opens, first, n), _last_of(holds, first, n)
    opened = (was_open >= 0) & (opens[was_open] == 1)
    held = (was_held >= 0) & (holds[was_held] == 1)
    step = np.where(opened & ~held, after - c, 0)
    total = np.cumsum(step)
    start = np.repeat(total[first] - step[first], np.diff(np.append(first, n)))
    total -= start
    crossing = np.flatnonzero((total > target) & (total - step <= target))
    owner = np.searchsorted(first, crossing, side="right") - 1
    late = np.zeros(first.size, bool)
    late[owner] = True
    tau = np.where(opened[last], -1, 0)
    stops = _last_of((kind == 2) * 1, first, n)[last]
    tau = np.where(opened[last], -1, ts[stops])
    tau[owner] = worked.instant(calendar[crossing], (c + target - total + step)[crossing])
    m, goal = total[last], target[first]
    q = np.where(late, np.where(opened[last], 0.0, np.maximum(0.0, 2 - m / goal)), 1.0)
    free = opened[last] & ~late
    return promise[first], tau, m, ~late & ~opened[last], q, free & ~held[last], free & held[last]


def _due(
    log: Log, ts: Ints, promise: Ints, unit: Ints, kind: Ints, target: Ints
) -> tuple[Ints, ...]:
    first, n = _edges(promise, unit), ts.size
    far = np.iinfo(np.int64).max
    s, e = (
        np.minimum.reduceat(np.where(kind == k, ts, far), first) if n else first for k in (1, 2)
    )
    measured = s < far
    first, s, e = first[measured], s[measured], e[measured]
    is_open, goal = e == far, target[first]
    m = np.maximum(0, np.where(is_open, log.at_us, e) - s)
    late = m > goal
    tau = np.where(late, s + goal, np.where(is_open, -1, np.maximum(s, e)))
    q = np.where(late, np.where(is_open, 0.0, np.maximum(0.0, 2 - m / goal)), 1.0)
    return promise[first], tau, m, ~late & ~is_open, q, is_open & ~late, is_open & (s < 0)


def _windows(log: Log, p: int, tau: Ints, m: Ints, kept: Ints, q: Floats) -> tuple[Ints, ...]:
    low = np.searchsorted(tau, log.spans.from_us)
    high = np.searchsorted(tau, log.spans.until_us)
    span = np.flatnonzero(high > low)
    low, high = low[span], high[span]
    n, good = high - low, np.concatenate([[0], np.cumsum(kept)])
    ranks = np.empty((3, span.size), np.int64)
    for i in range(span.size):
        inside = np.sort(m[low[i] : high[i]])
        ranks[:, i] = inside[(n[i] * np.array((50, 90, 95)) + 99) // 100 - 1]
    w = np.exp2((tau - log.at_us) / (30 * DAY))
    weights, values = np.cumsum(w), np.cumsum(w * q)
    until = np.searchsorted(tau, log.spans.until_us[span]) - 1
    score = values[until] / weights[until]
    return (np.full(span.size, p), span, n, good[high] - good[low], *ranks, score)


def _burn(tau: Ints, kept: Ints, objective_ppm: int, at: int) -> int:
    """The fastest pair of trailing windows at `at`."""
    for tenths, long, short, bit in BURN:
        burns = True
        for width in (long, short):
            start = np.searchsorted(tau, at - width * MINUTE, side="right")
            n, missed = int(tau.size - start), int((~kept[start:]).sum())
            burns &= missed > 0 and missed * 10**7 >= tenths * n * (10**6 - objective_ppm)
            burns &= n >= ENOUGH or width != long
        if burns:
            return bit
    return 0
