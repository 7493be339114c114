"""Working time of many guards at once: which rule one more shift would break for each; the rules of `domain.shifts`."""

import numpy as np
from numpy.typing import NDArray

from domain.evaluator.kernels.compilation import kernel, step

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAILY_REST, FOUR_WEEKS, LONGEST_SHIFT, NIGHTS, REST_AFTER_NIGHT = range(5)
REST_AFTER_NIGHTS, SIXTEEN_WEEKS, WEEK, WEEKLY_REST = range(5, 9)
NOTHING, OVERLAP = -1, -2
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800


@kernel
def first_broken(
    start: Ints,  # (shifts,) seconds since 1970; the shifts of guard g are hold[g]:hold[g + 1], in order
    end: Ints,  # (shifts,)
    hold: Ints,  # (guards + 1,)
    asked: NDArray[np.bool_],  # (guards,) whose working time is looked at
    new_start: int,
    new_end: int,
    change_at: Ints,  # (offsets,) from when an offset of the zone holds; the first one always
    offset: Ints,  # (offsets,) seconds east of UTC
    limits: Ints,  # (9,) by rule: seconds, seconds a week, or nights
) -> tuple[Ints, Floats, Ints, Ints, Ints, Ints]:
    """Return the first rule that the shift breaks for each guard: figure, period, rest before, seconds in the week.

    NOTHING: no rule is broken; OVERLAP: the guard is on another shift. Rest is -1 without an earlier shift.
    """
    guards = hold.size - 1
    rule = np.full(guards, NOTHING, np.int64)
    figure = np.zeros(guards, np.float64)
    since, until = np.zeros(guards, np.int64), np.zeros(guards, np.int64)
    rest, in_week = np.full(guards, -1, np.int64), np.zeros(guards, np.int64)
    monday = _week_of(new_start, change_at, offset)
    from_s = _midnight(7 * monday - 3, change_at, offset)
    until_s = _midnight(7 * monday + 4, change_at, offset)
    for g in range(guards):
        first, last = hold[g], hold[g + 1]
        place = first
        for i in range(first, last):
            in_week[g] += max(0, min(end[i], until_s) - max(start[i], from_s))
            if start[i] < new_end and end[i] > new_start:
                rule[g] = OVERLAP
            if end[i] <= new_start:
                rest[g] = new_start - end[i]
                place = i + 1
        if rule[g] == OVERLAP or not asked[g]:
            continue
        n = last - first + 1
        s, e = np.empty(n, np.int64), np.empty(n, np.int64)
        before = place - first
        s[:before], e[:before] = start[first:place], end[first:place]
        s[before], e[before] = new_start, new_end
        s[before + 1 :], e[before + 1 :] = start[place:last], end[place:last]
        now = _findings(s, e, change_at, offset, limits)
        if not now[0].size:
            continue
        earlier = _findings(start[first:last], end[first:last], change_at, offset, limits)
        best = -1
        for i in range(now[0].size):
            known = False
            for k in range(earlier[0].size):
                known |= (
                    now[0][i] == earlier[0][k]
                    and now[1][i] == earlier[1][k]
                    and now[2][i] == earlier[2][k]
                    and now[3][i] == earlier[3][k]
                )
            if known:
                continue
            if best < 0 or (now[2][i], now[0][i]) < (now[2][best], now[0][best]):
                best = i
        if best >= 0:
            rule[g], figure[g] = now[0][best], now[1][best]
            since[g], until[g] = now[2][best], now[3][best]
    return rule, figure, since, until, rest, in_week


@step
def _findings(
    s: Ints, e: Ints, change_at: Ints, offset: Ints, limits: Ints
) -> tuple[Ints, Floats, Ints, Ints]:
    """Return the broken rules of one guard's shifts: rule, figure, from when, until when."""
    n = s.size
    room = 8 * n + 8
    rule, figure = np.empty(room, np.int64), np.empty(room, np.float64)
    since, until = np.empty(room, np.int64), np.empty(room, np.int64)
    count = 0
    if n == 0:
        return rule[:0], figure[:0], since[:0], until[:0]
    began, over = np.empty(n, np.int64), np.empty(n, np.int64)
    work, nightly = np.zeros(n, np.int64), np.zeros(n, np.int64)
    days = 0
    for i in range(n):  # shifts at most two hours apart are one working day
        if days == 0 or s[i] - over[days - 1] > 2 * _HOUR:
            began[days] = s[i]
            days += 1
        over[days - 1] = e[i]
        work[days - 1] += e[i] - s[i]
        nightly[days - 1] += _nightly(s[i], e[i], change_at, offset)
    late = np.zeros(n, np.bool_)
    shortened = np.int64(-1)
    series = 0
    first = 0
    for d in range(days):
        is_night = nightly[d] > _HOUR
        late[d] = is_night and _ends_after_two(began[d], over[d], change_at, offset)
        if work[d] > limits[LONGEST_SHIFT]:
            rule[count], figure[count] = LONGEST_SHIFT, work[d] / _HOUR
            since[count], until[count] = began[d], over[d]
            count += 1
        if d > 0:
            rest = began[d] - over[d - 1]
            kind = REST_AFTER_NIGHT if late[d - 1] else DAILY_REST
            if rest < limits[kind]:
                often = shortened >= 0 and began[d] - shortened < _WEEK
                if rest < 8 * _HOUR or often:
                    rule[count], figure[count] = kind, rest / _HOUR
                    since[count], until[count] = over[d - 1], began[d]
                    count += 1
                shortened = began[d]
            series = series + 1 if nightly[d - 1] > _HOUR else 0
            if rest >= limits[REST_AFTER_NIGHTS]:
                series = 0
            elif series >= 3 and not is_night:
                rule[count], figure[count] = REST_AFTER_NIGHTS, rest / _HOUR
                since[count], until[count] = over[d - 1], began[d]
                count += 1
        has_next = d + 1 < days
        following = began[d + 1] - over[d] if has_next else 0
        if has_next and following < limits[WEEKLY_REST]:
            continue
        stretch = over[d] - began[first]
        is_long = not has_next or following >= 72 * _HOUR
        if stretch > _WEEK - limits[WEEKLY_REST] and not (
            is_long and stretch <= 2 * _WEEK - 72 * _HOUR
        ):
            most = np.int64(0)
            for k in range(first, d):
                most = max(most, began[k + 1] - over[k])
            rule[count], figure[count] = WEEKLY_REST, most / _HOUR
            since[count], until[count] = began[first], over[d]
            count += 1
        first = d + 1
    base = _week_of(s[0], change_at, offset)
    weeks = _week_of(e[n - 1], change_at, offset) - base + 1
    hours, nights = np.zeros(weeks, np.int64), np.zeros(weeks, np.int64)
    for i in range(n):
        at = s[i]
        while at < e[i]:
            week = _week_of(at, change_at, offset)
            stop = min(e[i], _midnight(7 * week + 4, change_at, offset))
            hours[week - base] += stop - at
            at = stop
    for d in range(days):
        if late[d]:
            nights[_week_of(over[d], change_at, offset) - base] += 1
    found = np.empty((4 * weeks, 4), np.float64)
    more = 0
    for w in range(weeks):
        if hours[w] == 0:
            continue
        four, sixteen, counted = np.int64(0), np.int64(0), np.int64(0)
        for k in range(max(0, w - 15), w + 1):
            sixteen += hours[k]
            counted += nights[k]
            if k > w - 4:
                four += hours[k]
        for case in range(4):
            kind, total, many = WEEK, hours[w], 1
            if case == 1:
                kind, total, many = FOUR_WEEKS, four, 4
            elif case == 2:
                kind, total, many = SIXTEEN_WEEKS, sixteen, 16
            elif case == 3:
                kind, total, many = NIGHTS, counted, 16
            averaged = 1 if kind == NIGHTS else many
            if total > limits[kind] * averaged:
                found[more, 0] = kind
                found[more, 1] = total if kind == NIGHTS else total / _HOUR / averaged
                found[more, 2] = _midnight(7 * (base + w - many + 1) - 3, change_at, offset)
                found[more, 3] = _midnight(7 * (base + w) + 4, change_at, offset)
                more += 1
    everything = count + more
    rules, figures = np.empty(everything, np.int64), np.empty(everything, np.float64)
    froms, untils = np.empty(everything, np.int64), np.empty(everything, np.int64)
    rules[:count], figures[:count] = rule[:count], figure[:count]
    froms[:count], untils[:count] = since[:count], until[:count]
    for i in range(more):
        rules[count + i], figures[count + i] = np.int64(found[i, 0]), found[i, 1]
        froms[count + i], untils[count + i] = np.int64(found[i, 2]), np.int64(found[i, 3])
    return rules, figures, froms, untils


@step
def _nightly(start: int, end: int, change_at: Ints, offset: Ints) -> int:
    """Return the seconds between midnight and six."""
    total = 0
    day = _day_of(start, change_at, offset)
    while True:
        midnight = _midnight(day, change_at, offset)
        if midnight >= end:
            return total
        six = _instant(day * _DAY + 6 * _HOUR, change_at, offset)
        total += max(0, min(end, six) - max(start, midnight))
        day += 1


@step
def _ends_after_two(start: int, end: int, change_at: Ints, offset: Ints) -> bool:
    last = _day_of(end, change_at, offset)
    if start < _instant(last * _DAY + 2 * _HOUR, change_at, offset) < end:
        return True
    six = _instant(last * _DAY + 6 * _HOUR, change_at, offset)
    return _day_of(start, change_at, offset) == last and start < six


@step
def _day_of(at: int, change_at: Ints, offset: Ints) -> int:
    """Return the local day, counted from 1970-01-01."""
    place = 0
    for i in range(1, change_at.size):
        if at >= change_at[i]:
            place = i
    return (at + offset[place]) // _DAY


@step
def _week_of(at: int, change_at: Ints, offset: Ints) -> int:
    """Return the local week, whose Monday is the day 7 · week - 3."""
    return (_day_of(at, change_at, offset) + 3) // 7


@step
def _midnight(day: int, change_at: Ints, offset: Ints) -> int:
    return _instant(day * _DAY, change_at, offset)


@step
def _instant(local: int, change_at: Ints, offset: Ints) -> int:
    """Return the instant of a local time: the first of two, and by the earlier offset where the clock skips it."""
    place = 0
    for i in range(1, change_at.size):
        if local - offset[i] >= change_at[i] and local - offset[i - 1] >= change_at[i]:
            place = i
    return local - offset[place]
