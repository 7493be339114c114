"""The verdict kernel: one reading of a unit's events gives its row, or its rows.

Where the semantics leave a choice, this is what was chosen:

- The target in force is the one of START's priority until a PRIORITY event. A part is late at the
  first instant at which its running total exceeds the target in force: so a PRIORITY event whose
  new target has already been used up makes the part late at that event's own instant (a breach is
  never dated before the fact that caused it), also after the STOP, and no later priority rescues
  a part that was late. A priority without a target takes the part out of measurement.
- A deadline met while paused is the one that would have held if time had been resumed at the stop.
- UPDATE: a START, UPDATE, REOPEN begins a part, the next UPDATE or STOP ends it; UPDATE events
  before START or after STOP do not count; PRIORITY concerns the part that is open.
- COVER: first START and first STOP after it are the plan, on the wall clock. Overlapping STAFFED
  intervals count once. Decided at the end of the plan; quality of a late shift is the staffed
  share of what was required.
- POINT: every MEASURE is decided at once; a NaN value is not a measurement.
"""

import numpy as np
from numpy.typing import NDArray

from domain.kernels.clock import BEYOND, business_deadline, exceeded_at, reached_at, working
from domain.kernels.columns import Calendars, Promises, Verdicts
from domain.kernels.jit import kernel, step
from domain.kernels.kinds import EventKind, PromiseClass, State
from domain.kernels.layout import Sealed, kind_of, priority_of

FLOW, UPDATE, DUE, COVER, POINT = (int(c) for c in PromiseClass)
START, STOP, PAUSE, RESUME, REOPEN, UPDATED, PRIORITY, STAFFED, UNSTAFFED, MEASURE = (
    int(k) for k in EventKind
)
RUNNING, PAUSED, LATE_OPEN, LATE_CLOSED, KEPT = (int(s) for s in State)
PPM = 1_000_000


@kernel
def judge(
    sealed: Sealed,
    promises: Promises,
    cal: Calendars,
    at: int,
    warn_ppm: NDArray[np.int64],
    out: Verdicts,
    lo_promise: int,
    hi_promise: int,
) -> int:
    """Write the rows of promises lo..hi-1 at instant `at` into `out`; return how many."""
    row = 0
    for p in range(lo_promise, hi_promise):
        a, end = sealed.first[p], sealed.first[p + 1]
        while a < end:
            b = a + 1
            while b < end and sealed.unit[b] == sealed.unit[a]:
                b += 1
            before = row
            cls = promises.cls[p]
            if cls == FLOW or cls == UPDATE:
                row = _clock(sealed, a, b, p, promises, cal, at, warn_ppm, out, row)
            elif cls == DUE:
                row = _due(sealed, a, b, p, promises, cal, at, warn_ppm, out, row)
            elif cls == COVER:
                row = _cover(sealed, a, b, promises.objective_ppm[p], at, out, row)
            elif cls == POINT:
                row = _points(
                    sealed, a, b, promises.pass_mark[p], promises.full_mark[p], at, out, row
                )
            for r in range(before, row):
                out.promise[r] = p
                out.unit[r] = sealed.unit[a]
            a = b
    return row


@step
def fixed_target(cal: Calendars, promises: Promises, p: int, priority: int, start: int) -> int:
    """Target in working µs for a clock that started at `start`; -1 = none."""
    days = promises.business_days[p, priority]
    if days < 0:
        return promises.target_us[p, priority]
    k = promises.calendar[p]
    due = business_deadline(cal, k, start, days)
    if due == BEYOND:
        return BEYOND
    # Zero days from the second 02:30 of an autumn night: its wall clock names the first one.
    return max(0, working(cal, k, due) - working(cal, k, start))


@step
def share_of(target: int, ppm: int) -> int:
    """⌈target · ppm / 1,000,000⌉ without overflow."""
    return target // PPM * ppm + (target % PPM * ppm + PPM - 1) // PPM


@step
def _clock(
    sealed: Sealed,
    a: int,
    b: int,
    p: int,
    promises: Promises,
    cal: Calendars,
    at: int,
    warn_ppm: NDArray[np.int64],
    out: Verdicts,
    row: int,
) -> int:
    k = promises.calendar[p]
    split, pausable = promises.cls[p] == UPDATE, promises.pausable[p]
    started = opened = paused = late = False
    part = priority = 0
    s = stopped = target = breach = elapsed = held = 0
    last = last_c = stopped_c = 0  # time is accounted up to here
    for i in range(a, b + 1):
        t, kind, given = at, 0, 0
        if i < b:
            t, kind = sealed.ts[i], kind_of(sealed.code[i])
            given = priority_of(sealed.code[i])
            if t > at:
                continue
        c = working(cal, k, t)
        if opened and paused:
            held += t - last
        elif opened:
            if not late and target >= 0 and elapsed + c - last_c > target:
                late = True
                breach = exceeded_at(cal, k, last_c + target - elapsed)
            elapsed += c - last_c
        last, last_c = t, c
        if kind == PAUSE and pausable:
            paused = True
        elif kind == RESUME and pausable:
            paused = False
        elif kind == PRIORITY and started:
            priority = given
            if not late and (opened or not split):
                target = fixed_target(cal, promises, p, priority, s)
                if 0 <= target < elapsed:
                    late, breach = True, t
        ends = opened and (kind == STOP or (kind == UPDATED and split))
        if ends:
            opened = False
            stopped, stopped_c = t, c
        if i == b or (ends and split):
            if started and target >= 0 and (opened or ends or not split):
                now_c = c if opened else stopped_c
                _write(
                    out, row, part, opened, paused, late, s, stopped, target, breach, elapsed,
                    held, now_c, cal, k, warn_ppm,
                )  # fmt: skip
                row += 1
            part += 1
        if kind == START and not started:
            started, priority = True, given
        elif kind == REOPEN and started and not opened:
            opened = True
            if not split:
                continue
        elif not (ends and kind == UPDATED):
            continue
        opened, late = True, False
        s, elapsed, held = t, 0, 0
        target = fixed_target(cal, promises, p, priority, s)
    return row


@step
def _write(
    out: Verdicts,
    row: int,
    part: int,
    opened: bool,
    paused: bool,
    late: bool,
    s: int,
    stopped: int,
    target: int,
    breach: int,
    elapsed: int,
    held: int,
    now_c: int,  # C at T while open, at the stop when closed
    cal: Calendars,
    k: int,
    warn_ppm: NDArray[np.int64],
) -> None:
    undecided = opened and not late
    if target == BEYOND:
        breach = BEYOND
    elif not late:
        breach = -1 if opened and paused else exceeded_at(cal, k, now_c + target - elapsed)
    warn = 0
    while warn < warn_ppm.size and elapsed >= share_of(target, warn_ppm[warn]):
        warn += 1
    check = -1
    if undecided and not paused and breach != BEYOND:
        check = breach + 1
        if warn < warn_ppm.size:
            need = share_of(target, warn_ppm[warn])
            check = min(check, reached_at(cal, k, now_c + need - elapsed))
    out.part[row] = part
    out.warn[row] = warn
    out.started_us[row] = s
    out.stopped_us[row] = -1 if opened else stopped
    out.target_us[row] = target
    out.breach_us[row] = breach
    out.elapsed_us[row] = elapsed
    out.paused_us[row] = held
    out.next_check_us[row] = check
    if undecided:
        out.state[row] = PAUSED if paused else RUNNING
        out.decided_us[row] = -1
        out.quality[row] = np.nan
    elif not late:
        out.state[row] = KEPT
        out.decided_us[row] = stopped
        out.quality[row] = 1.0
    else:
        out.state[row] = LATE_OPEN if opened else LATE_CLOSED
        out.decided_us[row] = breach
        out.quality[row] = 0.0 if opened or target == 0 else max(0.0, 2.0 - elapsed / target)


@step
def _due(
    sealed: Sealed,
    a: int,
    b: int,
    p: int,
    promises: Promises,
    cal: Calendars,
    at: int,
    warn_ppm: NDArray[np.int64],
    out: Verdicts,
    row: int,
) -> int:
    k = promises.calendar[p]
    started = stopped = False
    s = e = target = 0
    for i in range(a, b):
        if sealed.ts[i] > at:
            break
        kind = kind_of(sealed.code[i])
        if kind == START and not started:
            started, s = True, sealed.ts[i]
            target = fixed_target(cal, promises, p, priority_of(sealed.code[i]), s)
        elif kind == STOP and not stopped:
            stopped, e = True, sealed.ts[i]
    if not started or target < 0:
        return row
    c = working(cal, k, s)
    now_c = max(c, working(cal, k, e if stopped else at))
    late = now_c - c > target
    breach = exceeded_at(cal, k, c + target) if late else 0
    _write(
        out, row, 0, not stopped, False, late, s, e, target, breach, now_c - c, 0, now_c, cal, k,
        warn_ppm,
    )  # fmt: skip
    if stopped and not late:
        out.decided_us[row] = max(s, e)
    return row + 1


@step
def _cover(
    sealed: Sealed, a: int, b: int, objective_ppm: int, at: int, out: Verdicts, row: int
) -> int:
    planned = ended = False
    s = last = staffed = present = 0
    for i in range(a, b):
        t, kind = sealed.ts[i], kind_of(sealed.code[i])
        if t > at or ended:
            break
        if planned and present > 0:
            staffed += t - last
        last = t
        if kind == STAFFED:
            present += 1
        elif kind == UNSTAFFED:
            present = max(0, present - 1)
        elif kind == START and not planned:
            planned, s = True, t
        elif kind == STOP and planned:
            ended = True
    if not planned:
        return row
    if not ended and present > 0:
        staffed += at - last
    required = share_of(last - s, objective_ppm) if ended else -1
    kept = staffed >= required
    out.part[row] = 0
    out.warn[row] = 0
    out.started_us[row] = s
    out.stopped_us[row] = last if ended else -1
    out.target_us[row] = required
    out.breach_us[row] = last if ended else -1
    out.decided_us[row] = last if ended else -1
    out.elapsed_us[row] = staffed
    out.paused_us[row] = 0
    out.next_check_us[row] = -1
    if not ended:
        out.state[row] = RUNNING
        out.quality[row] = np.nan
    else:
        out.state[row] = KEPT if kept else LATE_CLOSED
        out.quality[row] = 1.0 if kept else staffed / required
    return row + 1


@step
def _points(
    sealed: Sealed,
    a: int,
    b: int,
    pass_mark: float,
    full_mark: float,
    at: int,
    out: Verdicts,
    row: int,
) -> int:
    part = 0
    for i in range(a, b):
        t, value = sealed.ts[i], sealed.value[i]
        if t > at:
            break
        if kind_of(sealed.code[i]) != MEASURE or np.isnan(value):
            continue
        out.part[row] = part
        out.state[row] = KEPT if value >= pass_mark else LATE_CLOSED
        out.warn[row] = 0
        out.started_us[row] = out.stopped_us[row] = out.breach_us[row] = t
        out.decided_us[row] = t
        out.target_us[row] = -1
        out.elapsed_us[row] = 0
        out.paused_us[row] = 0
        out.next_check_us[row] = -1
        out.quality[row] = min(1.0, max(0.0, np.float64(value) / np.float64(full_mark)))
        part += 1
        row += 1
    return row
