"""What windows, lists and burn rates read of a verdict: four columns and two lists, not fourteen columns.

Judging and ordering 1e6 events took 49 ns of processor an event by way of whole verdicts, 18 by way of these.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.batch import empty_rows
from domain.kernels.clock import BEYOND, Numbers, exceeded_at, working
from domain.kernels.columns import (
    ALWAYS,
    CALENDAR,
    CLS,
    DAYS,
    TARGET,
    TOTAL,
    Calendars,
    Promises,
)
from domain.kernels.jit import kernel, leaf, step
from domain.kernels.judge import (
    CANCELLED,
    DUE,
    FLOW,
    KEPT,
    LATE_CLOSED,
    LATE_OPEN,
    PAUSED,
    START,
    STOP,
    Codes,
    Rows,
    judge_unit,
)
from domain.kernels.layout import Sealed, kind_of, priority_of
from domain.kernels.lists import LateList, OpenList
from domain.kernels.order import stable_order
from domain.kernels.windows import Decided


class Room(NamedTuple):
    """Memory that is written again and again: fresh pages cost as much as judging."""

    tau: NDArray[np.int64]  # decided parts, by unit and part
    measure: NDArray[np.int64]
    kept: NDArray[np.uint8]
    quality: NDArray[np.float64]
    late: LateList
    rows: Rows  # of one unit


class Gist(NamedTuple):
    """The verdicts of a run of promises, as far as a replay reads them."""

    done: Decided
    late: LateList
    open: OpenList
    beyond: int  # a promise whose deadline lies beyond its calendar, or -1


def room_for(events: int) -> Room:
    """Room for the parts of at most `events` events; pages that are not written cost nothing."""
    return Room(
        np.empty(events, np.int64),
        np.empty(events, np.int64),
        np.empty(events, np.uint8),
        np.empty(events, np.float64),
        LateList(
            np.empty(events, np.int32),
            np.empty(events, np.int32),
            np.empty(events, np.int32),
            np.empty(events, np.int64),
            np.empty(events, np.int64),
            np.empty(events, np.bool_),
        ),
        empty_rows(events),
    )


@kernel
def gist(
    sealed: Sealed,
    promises: Promises,
    calendars: Calendars,
    at: int,
    p_from: int,
    p_until: int,
    room: Room,
) -> Gist:
    """Judge promises p_from..p_until-1 at `at`; equal to what `judge` writes, bit for bit."""
    ts, unit, code, value = sealed.ts, sealed.unit, sealed.code, sealed.value
    tau, measure, kept, quality, late, rows = room
    data, no_warn = calendars.data, np.zeros(0, np.int64)
    count = p_until - p_from
    running, paused = np.zeros(count, np.int64), np.zeros(count, np.int64)
    next_deadline = np.full(count, np.int64(-1))
    first = np.zeros(count + 1, np.int64)
    n, lates, beyond = 0, 0, -1
    for p in range(p_from, p_until):
        terms = promises.terms[p]
        head = calendars.head[terms[CALENDAR]]
        cls = terms[CLS]
        a, end = sealed.first[p], sealed.first[p + 1]
        while a < end:
            u = unit[a]
            b = a + 1
            while b < end and unit[b] == u:
                b += 1
            if b - a == 2 and (cls == FLOW or cls == DUE):
                # Most units are a START and a STOP, and need none of the general reading.
                done = plain(ts, code, a, cls == DUE, terms, head, data, at)
                if done[0] >= 0:
                    tau[n], measure[n], kept[n], quality[n] = done
                    if done[2] == 0:
                        late.promise[lates], late.unit[lates], late.part[lates] = p, u, 0
                        late.breach_us[lates], late.elapsed_us[lates] = done[0], done[1]
                        late.still_open[lates] = False
                        lates += 1
                    n += 1
                    a = b
                    continue
            found = judge_unit(
                ts, code, value, a, b, p, u, terms, promises.marks[p], head, data, at, no_warn,
                rows, 0,
            )  # fmt: skip
            for r in range(found):
                state, breach = rows[r].state, rows[r].breach_us
                if breach == BEYOND:
                    beyond = p
                if rows[r].decided_us >= 0:
                    tau[n], measure[n] = rows[r].decided_us, rows[r].elapsed_us
                    kept[n], quality[n] = state == KEPT, rows[r].quality
                    n += 1
                if state == LATE_OPEN or state == LATE_CLOSED:
                    late.promise[lates], late.unit[lates] = p, u
                    late.part[lates], late.breach_us[lates] = rows[r].part, breach
                    late.elapsed_us[lates] = rows[r].elapsed_us
                    late.still_open[lates] = state == LATE_OPEN
                    lates += 1
                elif state == PAUSED:
                    paused[p - p_from] += 1
                elif state != KEPT and state != CANCELLED:
                    running[p - p_from] += 1
                    soonest = next_deadline[p - p_from]
                    if breach >= 0 and (soonest < 0 or breach < soonest):
                        next_deadline[p - p_from] = breach
            a = b
        first[p - p_from + 1] = n
    return Gist(
        by_decision(first, room),
        LateList(
            late.promise[:lates].copy(),
            late.unit[:lates].copy(),
            late.part[:lates].copy(),
            late.breach_us[:lates].copy(),
            late.elapsed_us[:lates].copy(),
            late.still_open[:lates].copy(),
        ),
        OpenList(running, paused, next_deadline),
        beyond,
    )


@leaf
def plain(
    ts: Numbers,
    code: Codes,
    a: int,
    either_way: bool,  # the STOP may come before the START
    terms: Numbers,
    head: Numbers,
    data: Numbers,
    at: int,
) -> tuple[int, int, int, float]:
    """τ, measure, kept and quality of a unit of two events, a and a + 1; τ = -1: not so simple."""
    s, e = a, a + 1
    if either_way and kind_of(code[s]) == STOP:
        s, e = e, s
    if kind_of(code[s]) != START or kind_of(code[e]) != STOP or ts[a + 1] > at:
        return -1, 0, 0, 0.0
    priority = priority_of(code[s])
    target = terms[TARGET + priority]
    if target < 0 or terms[DAYS + priority] >= 0:
        return -1, 0, 0, 0.0
    c = working(head, data, ts[s])
    if not head[ALWAYS] and c + target >= head[TOTAL]:
        return -1, 0, 0, 0.0
    elapsed = max(0, working(head, data, ts[e]) - c)
    if elapsed <= target:
        return max(ts[s], ts[e]), elapsed, 1, 1.0
    breach = exceeded_at(head, data, c + target)
    return breach, elapsed, 0, 0.0 if target == 0 else max(0.0, 2.0 - elapsed / target)


@step
def by_decision(first: NDArray[np.int64], room: Room) -> Decided:
    """Put decided parts in the order of τ within each promise."""
    n = first[-1]
    done = Decided(
        first,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.uint8),
        np.empty(n, np.float64),
    )
    for p in range(first.size - 1):
        a, b = first[p], first[p + 1]
        order = stable_order(room.tau[a:b])
        for i in range(b - a):
            j = a + order[i]
            done.tau[a + i], done.measure[a + i] = room.tau[j], room.measure[j]
            done.kept[a + i], done.quality[a + i] = room.kept[j], room.quality[j]
    return done
