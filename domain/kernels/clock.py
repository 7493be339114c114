"""Working time on a calendar: C(t), its two inverses, and the deadline in business days."""

from domain.kernels.columns import Calendars
from domain.kernels.jit import step

DAY = 86_400_000_000
BEYOND = (1 << 63) - 1  # the expansion ends before this instant; callers refuse


@step
def working(cal: Calendars, k: int, t: int) -> int:
    """C(t): working µs of calendar `k` before `t`; t itself when always open. O(1)."""
    if cal.always[k]:
        return t
    i = cal.day_interval[cal.day_first[k] + t // DAY - cal.day_zero[k]] + cal.interval_first[k]
    end = cal.interval_first[k + 1]
    while i < end and cal.close_us[i] <= t:
        i += 1
    if i == end:
        return cal.total_us[k]
    return cal.before_us[i] + max(0, t - cal.open_us[i])


@step
def exceeded_at(cal: Calendars, k: int, c: int) -> int:
    """C⁻¹(c): the first instant after which more than `c` has elapsed (right inverse)."""
    if cal.always[k]:
        return c
    if c >= cal.total_us[k]:
        return BEYOND
    low, high = cal.interval_first[k], cal.interval_first[k + 1]
    while high - low > 1:  # the last interval with before <= c
        middle = (low + high) // 2
        if cal.before_us[middle] <= c:
            low = middle
        else:
            high = middle
    return cal.open_us[low] + c - cal.before_us[low]


@step
def reached_at(cal: Calendars, k: int, c: int) -> int:
    """Return the first instant at which `c` has elapsed, c > 0 (left inverse)."""
    return c if cal.always[k] else exceeded_at(cal, k, c - 1) + 1


@step
def business_deadline(cal: Calendars, k: int, start: int, days: int) -> int:
    """Move `start` forward into working time, then the same wall clock `days` business days on.

    On an always-open calendar every local day is a business day. A wall clock that happens twice
    means its first occurrence; one that does not exist, the instant that many minutes after the
    switch (PEP 495 with fold=0). BEYOND when the expansion ends before it.
    """
    moved = start if cal.always[k] else exceeded_at(cal, k, working(cal, k, start))
    if moved == BEYOND or start < cal.from_us[k]:
        return BEYOND
    z = cal.zone_first[k]
    while z + 1 < cal.zone_first[k + 1] and cal.zone_from_us[z + 1] <= moved:
        z += 1
    wall = moved + cal.zone_offset_us[z]
    day = wall // DAY
    if cal.always[k]:
        wall += days * DAY
    else:
        low, high = cal.business_first[k], cal.business_first[k + 1]
        while high - low > 1:  # the last business day <= day
            middle = (low + high) // 2
            if cal.business_day[middle] <= day:
                low = middle
            else:
                high = middle
        if low + days >= cal.business_first[k + 1]:
            return BEYOND
        wall += (cal.business_day[low + days] - day) * DAY
    due = at_wall_clock(cal, k, wall)
    return BEYOND if due >= cal.until_us[k] else due


@step
def at_wall_clock(cal: Calendars, k: int, wall: int) -> int:
    """Return the instant of a local wall clock (µs), PEP 495 with fold=0."""
    z = cal.zone_first[k]
    last = cal.zone_first[k + 1] - 1
    # Move on while the wall clock is past the switch on the clocks of both sides of it.
    while z < last and wall >= cal.zone_from_us[z + 1] + max(
        cal.zone_offset_us[z], cal.zone_offset_us[z + 1]
    ):
        z += 1
    return wall - cal.zone_offset_us[z]
