"""The slow, obvious twin of the clock kernels: minutes in a set, dates by zoneinfo, plain lists.

Written from the semantics, sharing nothing with the kernels but the codes of kinds and states.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, PromiseInput

MINUTE = 60_000_000
PPM = 1_000_000
WARN_PPM = (500_000, 750_000, 900_000)
Piece = tuple[int, int]


class Row(NamedTuple):
    """What a verdict says, in the order of `Verdicts`."""

    promise: int
    unit: int
    part: int
    state: ClockState
    warn: int
    started_us: int
    stopped_us: int
    target_us: int
    breach_us: int
    decided_us: int
    elapsed_us: int
    paused_us: int
    next_check_us: int
    quality: float | None


def is_day_off(spec: CalendarSpec, day: date) -> bool:
    if day in spec.closures:
        return True
    if spec.country is None:
        return False
    names = holidays.country_holidays(
        spec.country,
        subdiv=spec.subdivision,
        categories=spec.holiday_categories,
        years=day.year,
        language="en_US",
    ).get_list(day)
    return any(name not in spec.holidays_left_out for name in names)


@lru_cache(maxsize=64)
def working_minutes(spec: CalendarSpec, first: date, last: date) -> list[int]:
    """Every minute since 1970 whose wall clock is inside the hours of a day that is worked."""
    zone, off, found = ZoneInfo(spec.zone), {}, []
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) // 60
    for minute in range(start, start + (last - first).days * 1440):
        wall = datetime.fromtimestamp(minute * 60, zone)
        day, clock = wall.date(), wall.hour * 60 + wall.minute
        if day not in off:
            off[day] = is_day_off(spec, day)
        if not off[day] and any(a <= clock < b for a, b in spec.hours[day.weekday()]):
            found.append(minute)
    return found


@dataclass(frozen=True)
class Calendar:
    """Working time as a list of pieces [a, b) µs between two dates."""

    spec: CalendarSpec
    first: date
    last: date

    def pieces(self, a: int, b: int) -> list[Piece]:
        """Working time inside [a, b)."""
        if self.spec.always_open:
            return [(a, b)] if a < b else []
        found = _minute_pieces(self.spec, self.first, self.last)
        return [(max(x, a), min(y, b)) for x, y in found if max(x, a) < min(y, b)]

    def end(self) -> int:
        return int(datetime(*self.last.timetuple()[:3], tzinfo=UTC).timestamp()) * 10**6

    def business_target(self, start: int, days: int) -> int:
        """Working µs from `start` to the same wall clock `days` business days later."""
        zone = ZoneInfo(self.spec.zone)
        moved = self.pieces(start, self.end())[0][0]
        wall = datetime.fromtimestamp(moved // 10**6, zone)
        day = wall.date()
        worked = {
            datetime.fromtimestamp(x // 10**6, zone).date()
            for x, _ in ([] if self.spec.always_open else self.pieces(0, self.end()))
        }
        while days:
            day += timedelta(days=1)
            days -= self.spec.always_open or day in worked
        due = datetime.combine(day, wall.time().replace(tzinfo=None), tzinfo=zone)  # fold=0
        due_us = round(due.timestamp()) * 10**6 + moved % 10**6
        return total(self.pieces(start, due_us))


@lru_cache(maxsize=64)
def _minute_pieces(spec: CalendarSpec, first: date, last: date) -> list[Piece]:
    """Consecutive working minutes joined, a new piece at every local midnight does not matter."""
    joined: list[list[int]] = []
    for minute in working_minutes(spec, first, last):
        if joined and joined[-1][1] == minute:
            joined[-1][1] = minute + 1
        else:
            joined.append([minute, minute + 1])
    return [(a * MINUTE, b * MINUTE) for a, b in joined]


def total(pieces: list[Piece]) -> int:
    return sum(b - a for a, b in pieces)


def exceeds_at(pieces: list[Piece], amount: int) -> int:
    """The first instant after which more than `amount` of the pieces has passed."""
    for a, b in pieces:
        if amount < b - a:
            return a + amount
        amount -= b - a
    raise LookupError("the season is too short for this example")


def reaches_at(pieces: list[Piece], amount: int) -> int:
    """The first instant at which `amount` > 0 of the pieces has passed."""
    for a, b in pieces:
        if amount <= b - a:
            return a + amount
        amount -= b - a
    raise LookupError("the season is too short for this example")


class Case(NamedTuple):
    """One unit under one promise, judged at one instant."""

    p: int
    unit: int
    promise: PromiseInput
    calendar: Calendar
    at: int

    def target(self, priority: int, start: int) -> int:
        if self.promise.business_days[priority] >= 0:
            return self.calendar.business_target(start, self.promise.business_days[priority])
        return self.promise.target_us[priority]


@dataclass
class Part:
    """One clock: the pieces of time it counted, and what became of it."""

    start: int
    target: int
    number: int
    counted: list[Piece] = field(default_factory=list)
    held: list[Piece] = field(default_factory=list)
    stopped: int | None = None
    breach: int | None = None
    cancelled: bool = False

    def count(self, pieces: list[Piece]) -> None:
        if self.breach is None and self.target >= 0 and total(self.counted + pieces) > self.target:
            self.breach = exceeds_at(self.counted + pieces, self.target)
        self.counted += pieces


def judge(
    events: list[Event],
    promises: list[PromiseInput],
    calendars: list[Calendar],
    at: int,
) -> list[Row]:
    """All rows at `at`, by promise, unit, part."""
    # stable: arrival breaks ties
    ordered = sorted(events, key=lambda e: (e.promise, e.unit, e.ts))
    rows: list[Row] = []
    for (p, unit), group in groupby(ordered, key=lambda e: (e.promise, e.unit)):
        promise, known = promises[p], list(group)
        mine = [e for e in known if e.ts <= at]
        case = Case(p, unit, promise, calendars[promise.calendar], at)
        if promise.cls is PromiseClass.COVER:
            rows += cover(case, known)
        elif not mine:
            continue
        elif promise.cls is PromiseClass.POINT:
            rows += points(case, mine)
        elif promise.cls is PromiseClass.DUE:
            rows += due(case, mine)
        else:
            rows += flow(case, mine)
    return rows


def flow(case: Case, events: list[Event]) -> list[Row]:  # noqa: C901, PLR0912 - plain and long on purpose
    updates = case.promise.cls is PromiseClass.UPDATE
    parts: list[Part] = []
    is_open = paused = False
    priority = 0
    last = 0

    def begin(ts: int) -> None:
        target = case.target(priority, ts)
        parts.append(Part(start=ts, target=target, number=len(parts)))

    nothing = Event(case.at, 0, 0, EventKind.MEASURE)
    for event in [*events, nothing]:
        ts = event.ts
        if is_open and paused:
            parts[-1].held.append((last, ts))
        elif is_open:
            parts[-1].count(case.calendar.pieces(last, ts))
        last = ts
        match event.kind:
            case EventKind.START if not parts:
                is_open, priority = True, event.priority
                begin(ts)
            case EventKind.STOP if is_open:
                is_open, parts[-1].stopped = False, ts
            case EventKind.UPDATE if updates and is_open:
                parts[-1].stopped = ts
                begin(ts)
            case EventKind.REOPEN if parts and not is_open:
                is_open = True
                if updates:
                    begin(ts)
                elif parts[-1].cancelled:
                    resume_cancelled(parts[-1], ts)
                else:
                    parts[-1].stopped = None
            case EventKind.PAUSE if case.promise.pausable:
                paused = True
            case EventKind.RESUME if case.promise.pausable:
                paused = False
            case EventKind.PRIORITY if parts:
                priority = event.priority
                if parts[-1].breach is None and (is_open or not updates):
                    part = parts[-1]
                    part.target = case.target(priority, part.start)
                    if 0 <= part.target < total(part.counted) and not part.cancelled:
                        part.breach = ts
            case EventKind.CANCEL if is_open and not updates:
                is_open, parts[-1].stopped = False, ts
                parts[-1].cancelled = parts[-1].breach is None
            case EventKind.RESTORE if parts and parts[-1].cancelled:
                is_open = True
                resume_cancelled(parts[-1], ts)
    return [
        row(case, part, paused=paused and part.stopped is None)
        for part in parts
        if part.target >= 0
    ]


def resume_cancelled(part: Part, ts: int) -> None:
    part.cancelled, part.stopped = False, None
    if 0 <= part.target < total(part.counted):
        part.breach = ts


def row(case: Case, part: Part, *, paused: bool) -> Row:
    elapsed, stop, late = total(part.counted), part.stopped, part.breach
    warn = sum(elapsed * PPM >= part.target * ppm for ppm in WARN_PPM)
    quality: float | None = None
    decided = next_check = deadline = -1
    future = case.calendar.pieces(
        case.at if stop is None else stop, case.calendar.end() + 400 * 86400 * 10**6
    )
    if late is not None:
        deadline = decided = late
        state = ClockState.LATE_OPEN if stop is None else ClockState.LATE_CLOSED
        quality = 0.0
        if stop is not None and part.target:
            quality = max(0.0, 2 - elapsed / part.target)
    elif part.cancelled:
        deadline = -1 if elapsed > part.target else exceeds_at(future, part.target - elapsed)
        state = ClockState.CANCELLED
    elif stop is not None:
        deadline = exceeds_at(future, part.target - elapsed)
        state, decided, quality = ClockState.KEPT, stop, 1.0
    elif paused:
        state = ClockState.PAUSED
    else:
        state = ClockState.RUNNING
        deadline = exceeds_at(future, part.target - elapsed)
        next_check = deadline + 1
        for ppm in WARN_PPM:
            needed = -(-part.target * ppm // PPM)
            if elapsed < needed:
                next_check = min(next_check, reaches_at(future, needed - elapsed))
    return Row(
        case.p, case.unit, part.number, state, warn, part.start, -1 if stop is None else stop,
        part.target, deadline, decided, elapsed, total(part.held), next_check, quality,
    )  # fmt: skip


def due(case: Case, events: list[Event]) -> list[Row]:
    starts = [e for e in events if e.kind is EventKind.START]
    stops: list[Event] = []
    cancels: list[Event] = []
    for event in events:
        if event.kind is EventKind.STOP and not stops and not cancels:
            stops = [event]
        elif event.kind is EventKind.CANCEL and not stops and not cancels:
            cancels = [event]
        elif event.kind is EventKind.RESTORE:
            cancels = []
        elif event.kind is EventKind.REOPEN:
            stops, cancels = [], []
    if not starts:
        return []
    ends = stops or cancels
    part = Part(starts[0].ts, case.target(starts[0].priority, starts[0].ts), 0)
    if part.target < 0:
        return []
    part.count(case.calendar.pieces(part.start, ends[0].ts if ends else case.at))
    part.stopped = max(part.start, ends[0].ts) if ends else None
    part.cancelled = bool(cancels) and part.breach is None
    found = row(case, part, paused=False)
    return [found._replace(stopped_us=ends[0].ts)] if ends else [found]


def cover(case: Case, known: list[Event]) -> list[Row]:  # noqa: C901 - plain and long on purpose
    """`known` also holds what lies after T: of that, only the end of the plan counts."""
    starts = [i for i, e in enumerate(known) if e.kind is EventKind.START]
    if not starts or known[starts[0]].ts > case.at:
        return []
    start = known[starts[0]].ts
    stops = [e.ts for e in known[starts[0] :] if e.kind is EventKind.STOP]
    end = stops[0] if stops else None
    events = [e for e in known if e.ts <= case.at]

    def there(until: int) -> int:
        """Time of the plan before `until` with somebody there."""
        present, staffed = 0, 0
        until = until if end is None else min(until, end)
        for event, after in zip(events, [*(e.ts for e in events[1:]), case.at], strict=True):
            if event.kind is EventKind.STAFFED:
                present += 1
            elif event.kind is EventKind.UNSTAFFED:
                present = max(0, present - 1)
            if present:
                staffed += max(0, min(after, until) - max(event.ts, start))
        return staffed

    required = -1 if end is None else -(-(end - start) * case.promise.objective_ppm // PPM)
    spare = None if end is None else end - start - required
    called_off: int | None = None
    for event in events:
        if event.kind is EventKind.CANCEL and called_off is None:
            gone = max(0, event.ts - start) - there(event.ts)
            before_end = end is None or event.ts < end
            if before_end and (event.ts <= start or spare is None or gone <= spare):
                called_off = event.ts
        elif event.kind is EventKind.RESTORE:
            called_off = None
    deadline = -1 if end is None else end
    if called_off is not None:
        return [
            Row(
                case.p, case.unit, 0, ClockState.CANCELLED, 0, start, called_off, required,
                deadline, -1, there(called_off), 0, -1, None,
            )
        ]  # fmt: skip
    staffed = there(case.at)
    if spare is None or end is None:
        warn, limits = 0, []
    else:
        limits = [max(1, -(-spare * ppm // PPM)) for ppm in WARN_PPM] if required else []
        warn = sum(min(case.at, end) - start - staffed >= limit for limit in limits)
    if end is None or end > case.at:
        present = 0
        for event in events:
            step = (event.kind is EventKind.STAFFED) - (event.kind is EventKind.UNSTAFFED)
            present = max(0, present + step)
        check = deadline
        if end is not None and not present:
            check = min([end, *(start + staffed + limit for limit in limits[warn:])])
        state = ClockState.RUNNING if present else ClockState.PAUSED
        return [
            Row(
                case.p, case.unit, 0, state, warn, start, -1, required, deadline, -1, staffed, 0,
                check, None,
            )
        ]  # fmt: skip
    kept = staffed >= required
    state, quality = (
        (ClockState.KEPT, 1.0) if kept else (ClockState.LATE_CLOSED, staffed / required)
    )
    return [
        Row(
            case.p, case.unit, 0, state, warn, start, end, required, end, end, staffed, 0, -1, quality
        )
    ]  # fmt: skip


def points(case: Case, events: list[Event]) -> list[Row]:
    measured = [e for e in events if e.kind is EventKind.MEASURE and e.value == e.value]
    return [
        Row(
            case.p, case.unit, number,
            ClockState.KEPT if e.value >= case.promise.pass_mark else ClockState.LATE_CLOSED, 0,
            e.ts, e.ts, -1, e.ts, e.ts, 0, 0, -1, min(1.0, max(0.0, e.value / case.promise.full_mark)),
        )
        for number, e in enumerate(measured)
    ]  # fmt: skip
