"""What is late and what is open, read off the verdicts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.jit import kernel
from domain.kernels.judge import LATE_CLOSED, LATE_OPEN, PAUSED, RUNNING, Rows


class LateList(NamedTuple):
    """Every late part, by promise, unit, part."""

    promise: NDArray[np.int32]
    unit: NDArray[np.int32]
    part: NDArray[np.int32]
    breach_us: NDArray[np.int64]
    elapsed_us: NDArray[np.int64]
    still_open: NDArray[np.bool_]


class OpenList(NamedTuple):
    """Undecided parts of a run of promises."""

    running: NDArray[np.int64]  # (promises,)
    paused: NDArray[np.int64]  # (promises,)
    next_deadline_us: NDArray[np.int64]  # (promises,) -1: nothing runs towards one


@kernel
def late_list(rows: Rows) -> LateList:
    """Late parts, still open or not."""
    n = 0
    for i in range(rows.size):
        n += rows[i].state == LATE_OPEN or rows[i].state == LATE_CLOSED
    found = LateList(
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.bool_),
    )
    j = 0
    for i in range(rows.size):
        if rows[i].state == LATE_OPEN or rows[i].state == LATE_CLOSED:
            found.promise[j] = rows[i].promise
            found.unit[j] = rows[i].unit
            found.part[j] = rows[i].part
            found.breach_us[j] = rows[i].breach_us
            found.elapsed_us[j] = rows[i].elapsed_us
            found.still_open[j] = rows[i].state == LATE_OPEN
            j += 1
    return found


@kernel
def open_list(rows: Rows, p_from: int, p_until: int) -> OpenList:
    """Count what runs and is paused in promises p_from..p_until-1, and find the next deadlines."""
    n = p_until - p_from
    found = OpenList(np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, np.int64(-1)))
    for i in range(rows.size):
        p, breach = rows[i].promise - p_from, rows[i].breach_us
        if rows[i].state == PAUSED:
            found.paused[p] += 1
        elif rows[i].state == RUNNING:
            found.running[p] += 1
            soonest = found.next_deadline_us[p]
            if breach >= 0 and (soonest < 0 or breach < soonest):
                found.next_deadline_us[p] = breach
    return found
