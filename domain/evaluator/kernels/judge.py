"""The verdict kernel: one pass over a unit's events gives its rows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import (
    CALENDAR,
    CLS,
    DAYS,
    OBJECTIVE,
    PAUSABLE,
    TARGET,
    Calendars,
    Promises,
)
from domain.evaluator.kernels.compilation import kernel, leaf
from domain.evaluator.kernels.layout import Sealed, kind_of, priority_of
from domain.evaluator.kernels.working_time import (
    BEYOND,
    Numbers,
    business_deadline,
    exceeded_at,
    reached_at,
    working,
)

FLOW, UPDATE, DUE, COVER, POINT = (int(c) for c in PromiseClass)
(
    START,
    STOP,
    PAUSE,
    RESUME,
    REOPEN,
    UPDATED,
    PRIORITY,
    STAFFED,
    UNSTAFFED,
    MEASURE,
    CANCEL,
    RESTORE,
) = (int(k) for k in EventKind)
RUNNING, PAUSED, LATE_OPEN, LATE_CLOSED, KEPT, CANCELLED = (int(s) for s in ClockState)
PPM = 1_000_000
Codes = NDArray[np.uint8]
Rows = Any  # np.recarray of columns.VERDICT, (rows,)


class EventColumns(NamedTuple):
    """The columns of `Sealed` that hold events, (events,) each."""

    ts: Numbers
    code: Codes
    value: NDArray[np.float32]


class PromiseRule(NamedTuple):
    """What one promise is judged by."""

    terms: Numbers
    marks: NDArray[np.float64]  # (2,) pass and full mark of a POINT promise
    head: Numbers  # its calendar's place in `data`
    data: Numbers  # all calendars
    warn_ppm: Numbers  # shares of the target at which to warn, ascending


class ClockResult(NamedTuple):
    """State of one clock when its row is written; times and spans in µs, working ones but for `held`."""

    part: int
    opened: bool
    paused: bool
    late: bool
    s: int
    stopped: int
    target: int
    breach: int
    elapsed: int
    held: int
    now_c: int  # C at T while open, at the stop when closed


@kernel
def judge(
    sealed: Sealed,
    promises: Promises,
    calendars: Calendars,
    at: int,
    warn_ppm: Numbers,
    out: Rows,
    p_from: int,
    p_until: int,
) -> int:
    """Write the rows of promises p_from..p_until-1 at time `at` into `out`; return how many."""
    first, ts, unit, code, value = sealed
    events = EventColumns(ts, code, value)
    row = 0
    for p in range(p_from, p_until):
        terms = promises.terms[p]
        head = calendars.head[terms[CALENDAR]]
        rule = PromiseRule(terms, promises.marks[p], head, calendars.data, warn_ppm)
        a, end = first[p], first[p + 1]
        while a < end:
            b = a + 1
            while b < end and unit[b] == unit[a]:
                b += 1
            before = row
            row = judge_unit(events, a, b, rule, at, out, row)
            for r in range(before, row):
                out[r].promise = p
                out[r].unit = unit[a]
            a = b
    return row


@leaf
def judge_unit(
    events: EventColumns, a: int, b: int, rule: PromiseRule, at: int, out: Rows, row: int
) -> int:
    """Write the rows of one unit, whose events are a..b-1 by (ts, seq); return the next free row."""
    cls = rule.terms[CLS]
    if cls == FLOW or cls == UPDATE:
        return _clock(events, a, b, rule, at, out, row)
    if cls == DUE:
        return _due(events, a, b, rule, at, out, row)
    if cls == COVER:
        return _cover(events, a, b, rule, at, out, row)
    if cls == POINT:
        return _points(events, a, b, rule.marks, at, out, row)
    return row


@leaf
def fixed_target(head: Numbers, data: Numbers, terms: Numbers, priority: int, start: int) -> int:
    """Return the target in working µs of a clock that started at `start`; -1 = none."""
    days = terms[DAYS + priority]
    if days < 0:
        return int(terms[TARGET + priority])
    due = business_deadline(head, data, start, days)
    if due == BEYOND:
        return BEYOND
    # Zero days from the second 02:30 of an autumn night: its wall clock names the first one.
    return max(0, working(head, data, due) - working(head, data, start))


@leaf
def share_of(target: int, ppm: int) -> int:
    """Return ⌈target · ppm / 1,000,000⌉ without overflow."""
    return target // PPM * ppm + (target % PPM * ppm + PPM - 1) // PPM


@leaf
def _clock(
    events: EventColumns, a: int, b: int, rule: PromiseRule, at: int, out: Rows, row: int
) -> int:
    ts, code = events.ts, events.code
    terms, head, data = rule.terms, rule.head, rule.data
    split, pausable = terms[CLS] == UPDATE, terms[PAUSABLE] != 0
    started = opened = paused = late = cancelled = False
    part = priority = 0
    s = stopped = target = breach = elapsed = held = 0
    last = last_c = stopped_c = 0  # time is accounted up to here
    for i in range(a, b + 1):
        t, kind, given = at, 0, 0
        if i < b:
            t, kind = ts[i], kind_of(code[i])
            given = priority_of(code[i])
            if t > at:
                continue
        c = working(head, data, t)
        if opened and paused:
            held += t - last
        elif opened:
            if not late and target >= 0 and elapsed + c - last_c > target:
                late = True
                breach = exceeded_at(head, data, last_c + target - elapsed)
            elapsed += c - last_c
        last, last_c = t, c
        if kind == PAUSE and pausable:
            paused = True
        elif kind == RESUME and pausable:
            paused = False
        elif kind == PRIORITY and started:
            priority = given
            if not late and (opened or not split):
                target = fixed_target(head, data, terms, priority, s)
                if 0 <= target < elapsed and not cancelled:
                    late, breach = True, t
        ends = opened and (kind == STOP or (kind == UPDATED and split))
        if kind == CANCEL and opened and not split:
            ends, cancelled = True, not late
        if ends:
            opened = False
            stopped, stopped_c = t, c
        if i == b or (ends and split):
            if started and target >= 0 and (opened or ends or not split):
                now_c = c if opened else stopped_c
                clock = ClockResult(
                    part, opened, paused, late, s, stopped, target, breach, elapsed, held, now_c
                )
                _write(out, row, clock, rule)
                if cancelled:
                    _without_verdict(out, row)
                row += 1
            part += 1
        if kind == RESTORE and cancelled:
            kind = REOPEN
        if kind == START and not started:
            started, priority = True, given
        elif kind == REOPEN and started and not opened:
            opened = True
            if cancelled and 0 <= target < elapsed:
                late, breach = True, t
            cancelled = False
            if not split:
                continue
        elif not (ends and kind == UPDATED):
            continue
        opened, late = True, False
        s, elapsed, held = t, 0, 0
        target = fixed_target(head, data, terms, priority, s)
    return row


@leaf
def _write(out: Rows, row: int, clock: ClockResult, rule: PromiseRule) -> None:
    part, opened, paused, late, s, stopped, target, breach, elapsed, held, now_c = clock
    head, data, warn_ppm = rule.head, rule.data, rule.warn_ppm
    undecided = opened and not late
    if target == BEYOND:
        breach = BEYOND
    elif not late:
        breach = -1 if opened and paused else exceeded_at(head, data, now_c + target - elapsed)
    warn = 0
    while warn < warn_ppm.size and elapsed >= share_of(target, warn_ppm[warn]):
        warn += 1
    check = -1
    if undecided and not paused and breach != BEYOND:
        check = breach + 1
        if warn < warn_ppm.size:
            need = share_of(target, warn_ppm[warn])
            check = min(check, reached_at(head, data, now_c + need - elapsed))
    out[row].part = part
    out[row].warn = warn
    out[row].started_us = s
    out[row].stopped_us = -1 if opened else stopped
    out[row].target_us = target
    out[row].breach_us = breach
    out[row].elapsed_us = elapsed
    out[row].paused_us = held
    out[row].next_check_us = check
    if undecided:
        out[row].state = PAUSED if paused else RUNNING
        out[row].decided_us = -1
        out[row].quality = np.nan
    elif not late:
        out[row].state = KEPT
        out[row].decided_us = stopped
        out[row].quality = 1.0
    else:
        out[row].state = LATE_OPEN if opened else LATE_CLOSED
        out[row].decided_us = breach
        out[row].quality = 0.0 if opened or target == 0 else max(0.0, 2.0 - elapsed / target)


@leaf
def _without_verdict(out: Rows, row: int) -> None:
    """Mark a closed part that was not late as cancelled."""
    out[row].state = CANCELLED
    if (
        out[row].elapsed_us > out[row].target_us
    ):  # the priority came afterwards: there is no deadline
        out[row].breach_us = -1
    out[row].decided_us = -1
    out[row].quality = np.nan


@leaf
def _due(
    events: EventColumns, a: int, b: int, rule: PromiseRule, at: int, out: Rows, row: int
) -> int:
    ts, code = events.ts, events.code
    head, data = rule.head, rule.data
    started = stopped = cancelled = False
    s = e = target = 0
    for i in range(a, b):
        if ts[i] > at:
            break
        kind = kind_of(code[i])
        if kind == START and not started:
            started, s = True, ts[i]
            target = fixed_target(head, data, rule.terms, priority_of(code[i]), s)
        elif kind == STOP and not stopped and not cancelled:
            stopped, e = True, ts[i]
        elif kind == CANCEL and not stopped and not cancelled:
            cancelled, e = True, ts[i]
        elif kind == RESTORE:
            cancelled = False
        elif kind == REOPEN:
            stopped = cancelled = False
    ended = stopped or cancelled
    if not started or target < 0:
        return row
    c = working(head, data, s)
    now_c = max(c, working(head, data, e if ended else at))
    late = now_c - c > target
    breach = exceeded_at(head, data, c + target) if late else 0
    clock = ClockResult(0, not ended, False, late, s, e, target, breach, now_c - c, 0, now_c)
    _write(out, row, clock, rule)
    if cancelled and not late:
        _without_verdict(out, row)
    elif stopped and not late:
        out[row].decided_us = max(s, e)
    return row + 1


@leaf
def _plan_end(code: Codes, ts: Numbers, a: int, b: int) -> int:
    """Return when a plan ends, also in the future: a plan is known before it begins. -1 = not known."""
    planned = False
    for i in range(a, b):
        kind = kind_of(code[i])
        if kind == STOP and planned:
            return int(ts[i])
        planned |= kind == START
    return -1


@leaf
def _cover(
    events: EventColumns, a: int, b: int, rule: PromiseRule, at: int, out: Rows, row: int
) -> int:
    ts, code = events.ts, events.code
    end = _plan_end(code, ts, a, b)
    planned = cancelled = False
    s = last = staffed = present = stopped = staffed_then = 0
    required = allowed = -1
    for i in range(a, b):
        t, kind = ts[i], kind_of(code[i])
        if t > at:
            break
        now = min(t, end) if end >= 0 else t
        if planned and present > 0:
            staffed += now - last
        last = now
        if kind == STAFFED:
            present += 1
        elif kind == UNSTAFFED:
            present = max(0, present - 1)
        elif kind == START and not planned:
            planned, s = True, t
            if end >= 0:
                required = share_of(end - s, rule.terms[OBJECTIVE])
                allowed = end - s - required
        elif kind == CANCEL and not cancelled and (end < 0 or t < end):
            # A plan that can no longer be kept is not called off.
            cancelled = not planned or end < 0 or now - s - staffed <= allowed
            stopped, staffed_then = t, staffed
        elif kind == RESTORE:
            cancelled = False
    if not planned:
        return row
    ended = 0 <= end <= at
    until = end if ended else at
    if present > 0:
        staffed += until - last
    out[row].part = 0
    out[row].warn = 0
    out[row].started_us = s
    out[row].target_us = required
    out[row].breach_us = end
    out[row].elapsed_us = staffed
    out[row].paused_us = 0
    out[row].next_check_us = -1
    out[row].stopped_us = -1
    out[row].decided_us = -1
    out[row].quality = np.nan
    if cancelled:
        out[row].state = CANCELLED
        out[row].stopped_us = stopped
        out[row].elapsed_us = staffed_then
        return row + 1
    if end >= 0:
        _warn_of_cover(out, row, rule.warn_ppm, until - s - staffed, allowed)
    if not ended:
        out[row].state = RUNNING if present > 0 else PAUSED
        if end >= 0:
            out[row].next_check_us = end
            warn = out[row].warn
            if present == 0 and required > 0 and warn < rule.warn_ppm.size:
                need = max(1, share_of(allowed, rule.warn_ppm[warn]))
                out[row].next_check_us = min(end, at + need - (at - s - staffed))
        return row + 1
    kept = staffed >= required
    out[row].stopped_us = end
    out[row].decided_us = end
    out[row].state = KEPT if kept else LATE_CLOSED
    out[row].quality = 1.0 if kept else staffed / required
    return row + 1


@leaf
def _warn_of_cover(out: Rows, row: int, warn_ppm: Numbers, unstaffed: int, allowed: int) -> None:
    """Count the shares of the time that may be unstaffed which nobody has staffed already."""
    if out[row].target_us > 0:
        warn = 0
        while warn < warn_ppm.size and unstaffed >= max(1, share_of(allowed, warn_ppm[warn])):
            warn += 1
        out[row].warn = warn


@leaf
def _points(
    events: EventColumns, a: int, b: int, marks: NDArray[np.float64], at: int, out: Rows, row: int
) -> int:
    ts, code, value = events
    pass_mark, full_mark = marks
    part = 0
    for i in range(a, b):
        t, measured = ts[i], np.float64(value[i])
        if t > at:
            break
        if kind_of(code[i]) != MEASURE or np.isnan(measured):
            continue
        out[row].part = part
        out[row].state = KEPT if measured >= pass_mark else LATE_CLOSED
        out[row].warn = 0
        out[row].started_us = t
        out[row].stopped_us = t
        out[row].breach_us = t
        out[row].decided_us = t
        out[row].target_us = -1
        out[row].elapsed_us = 0
        out[row].paused_us = 0
        out[row].next_check_us = -1
        out[row].quality = min(1.0, max(0.0, measured / full_mark))
        part += 1
        row += 1
    return row
