"""What is late and what is open, read off the verdicts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.kernels.columns import Verdicts
from domain.kernels.kinds import State


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


def late_list(rows: Verdicts) -> LateList:
    """Late parts, still open or not."""
    late = (rows.state == State.LATE_OPEN) | (rows.state == State.LATE_CLOSED)
    return LateList(
        rows.promise[late],
        rows.unit[late],
        rows.part[late],
        rows.breach_us[late],
        rows.elapsed_us[late],
        rows.state[late] == State.LATE_OPEN,
    )


def open_list(rows: Verdicts, run: tuple[int, int]) -> OpenList:
    """Count what runs and is paused in promises run[0]..run[1]-1, and find the next deadlines."""
    first, promises = run[0], run[1] - run[0]
    running, paused = rows.state == State.RUNNING, rows.state == State.PAUSED
    never = np.iinfo(np.int64).max
    soonest = np.full(promises, never)
    timed = running & (rows.breach_us >= 0)
    np.minimum.at(soonest, rows.promise[timed] - first, rows.breach_us[timed])
    soonest[soonest == never] = -1
    return OpenList(
        np.bincount(rows.promise[running] - first, minlength=promises).astype(np.int64),
        np.bincount(rows.promise[paused] - first, minlength=promises).astype(np.int64),
        soonest,
    )
