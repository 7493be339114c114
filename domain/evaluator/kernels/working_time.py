"""Working time on a calendar: C(t), its two inverses, and the deadline in business days.

`head` is one row of `Calendars.head`, `data` is `Calendars.data`.
"""

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.columns import (
    ALWAYS,
    BUSINESS,
    BUSINESS_DAYS,
    DAY_TABLE,
    DAY_ZERO,
    FROM,
    INTERVALS,
    INVERSE,
    OFFSETS,
    OPEN,
    STEP_BITS,
    TOTAL,
    UNTIL,
    ZONE,
)
from domain.evaluator.kernels.compilation import leaf

DAY = 86_400_000_000
BEYOND = (1 << 63) - 1  # the expansion ends before this time; callers refuse
Numbers = NDArray[np.int64]


@leaf
def working(head: Numbers, data: Numbers, t: int) -> int:
    """Return C(t): working µs before `t`; t itself when always open. O(1)."""
    if head[ALWAYS]:
        return t
    n, opens = head[INTERVALS], head[OPEN]
    i = data[head[DAY_TABLE] + t // DAY - head[DAY_ZERO]]
    while i < n and data[opens + n + i] <= t:
        i += 1
    if i == n:
        return int(head[TOTAL])
    return int(data[opens + 2 * n + i] + max(0, t - data[opens + i]))


@leaf
def exceeded_at(head: Numbers, data: Numbers, c: int) -> int:
    """Return C⁻¹(c): the first time after which more than `c` has elapsed (right inverse). O(1)."""
    if head[ALWAYS]:
        return c
    if c >= head[TOTAL]:
        return BEYOND
    n, opens = head[INTERVALS], head[OPEN]
    before = opens + 2 * n
    # A binary search of a year's intervals took longer than the rest of a verdict.
    i = data[head[INVERSE] + (c >> STEP_BITS)] if c > 0 else 0
    while i + 1 < n and data[before + i + 1] <= c:
        i += 1
    return int(data[opens + i] + c - data[before + i])


@leaf
def reached_at(head: Numbers, data: Numbers, c: int) -> int:
    """Return the first instant at which `c` has elapsed, c > 0 (left inverse)."""
    return c if head[ALWAYS] else exceeded_at(head, data, c - 1) + 1


@leaf
def last_at_most(data: Numbers, start: int, n: int, x: int) -> int:
    """Return the position of the last of the n ascending numbers from `start` on that is <= x; 0 if none."""
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        if data[start + middle] <= x:
            low = middle
        else:
            high = middle
    return low


@leaf
def business_deadline(head: Numbers, data: Numbers, start: int, days: int) -> int:
    """Move `start` forward into working time, and return the same wall clock `days` business days on."""
    always = head[ALWAYS] != 0
    moved = start if always else exceeded_at(head, data, working(head, data, start))
    if moved == BEYOND or start < head[FROM]:
        return BEYOND
    zone, offsets = head[ZONE], head[OFFSETS]
    wall = moved + data[zone + offsets + last_at_most(data, zone, offsets, moved)]
    day = wall // DAY
    if always:
        wall += days * DAY
    else:
        i = last_at_most(data, head[BUSINESS], head[BUSINESS_DAYS], day)
        if i + days >= head[BUSINESS_DAYS]:
            return BEYOND
        wall += (data[head[BUSINESS] + i + days] - day) * DAY
    due = at_wall_clock(data, zone, offsets, wall)
    return BEYOND if due >= head[UNTIL] else due


@leaf
def at_wall_clock(data: Numbers, zone: int, offsets: int, wall: int) -> int:
    """Return the instant of a local wall clock (µs), PEP 495 with fold=0."""
    z = 0
    # Move on while the wall clock is past the switch on the clocks of both sides of it.
    while z + 1 < offsets and wall >= data[zone + z + 1] + max(
        data[zone + offsets + z], data[zone + offsets + z + 1]
    ):
        z += 1
    return int(wall - data[zone + offsets + z])
