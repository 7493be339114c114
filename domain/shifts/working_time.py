"""Working-time rules of the Arbeidstijdenwet for adults: values in, values out.

Each rule has a name, its article and its figure. The whole planned time counts as work, because breaks are not planned.
A collective agreement may allow less or more; these are the figures that hold without one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo


class WorkingTimeRule(StrEnum):
    """Rule on working time and rest, from the Arbeidstijdenwet."""

    LONGEST_SHIFT = "longest_shift"
    LONGEST_NIGHT = "longest_night"
    DAILY_REST = "daily_rest"
    REST_AFTER_NIGHT = "rest_after_night"
    REST_AFTER_NIGHTS = "rest_after_nights"
    WEEKLY_REST = "weekly_rest"
    WEEK = "week"
    FOUR_WEEKS = "four_weeks"
    SIXTEEN_WEEKS = "sixteen_weeks"
    NIGHTS = "nights"


R = WorkingTimeRule
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
ARTICLES: dict[WorkingTimeRule, str] = {
    R.LONGEST_SHIFT: "5:7(2)(a) Atw",
    R.LONGEST_NIGHT: "5:8(1) Atw",
    R.DAILY_REST: "5:3(2) Atw",
    R.REST_AFTER_NIGHT: "5:8(3) Atw",
    R.REST_AFTER_NIGHTS: "5:8(4) Atw",
    R.WEEKLY_REST: "5:5(2) Atw",
    R.WEEK: "5:7(2)(b) Atw",
    R.FOUR_WEEKS: "5:7(3) Atw",
    R.SIXTEEN_WEEKS: "5:7(2)(c) Atw",
    R.NIGHTS: "5:8(6) Atw",
}
LIMITS: dict[WorkingTimeRule, float] = {
    R.LONGEST_SHIFT: 12,
    R.LONGEST_NIGHT: 10,
    R.DAILY_REST: 11,
    R.REST_AFTER_NIGHT: 14,
    R.REST_AFTER_NIGHTS: 46,
    R.WEEKLY_REST: 36,
    R.WEEK: 60,
    R.FOUR_WEEKS: 55,
    R.SIXTEEN_WEEKS: 48,
    R.NIGHTS: 36,
}
"""Hours, hours of rest, average hours a week, and (NIGHTS) night shifts in 16 weeks."""
SHORTENED_REST = 8 * HOUR  # once in 7 × 24 hours
LONG_REST = 72 * HOUR  # in 14 × 24 hours, instead of 36 in 7 × 24
NIGHT_ENDS = time(2)  # nights that end after it need more rest, and are counted
ONE_DUTY = 2 * HOUR
"""Shifts at most this far apart are one working day: there is no daily rest between them."""


class WorkPeriod(NamedTuple):
    """Planned work of one guard."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class WorkingTimeFinding:
    """A rule that planned work breaks: the figure that it has, and the one that the rule asks for."""

    rule: WorkingTimeRule
    figure: float
    from_at: datetime
    until_at: datetime
    refuses: bool = True
    """Whether work may not be planned so; a finding that does not refuse warns."""

    @property
    def article(self) -> str:
        """The article of law."""
        return ARTICLES[self.rule]

    @property
    def limit(self) -> float:
        """The figure of the rule."""
        return LIMITS[self.rule]

    @property
    def words(self) -> str:
        """The finding as a sentence."""
        span = f"{self.from_at:%Y-%m-%d %H:%M}Z to {self.until_at:%Y-%m-%d %H:%M}Z"
        return f"{self.rule} ({self.article}): {self.figure:g}, the limit is {self.limit:g}; {span}"


@dataclass(frozen=True, slots=True)
class _Day:
    """One working day: shifts without a daily rest between them."""

    from_at: datetime
    until_at: datetime
    work: timedelta
    is_night: bool
    ends_late: bool  # a night that ends after 02:00


def check(work: Sequence[WorkPeriod], zone: str) -> list[WorkingTimeFinding]:
    """Return what planned work of one guard breaks, by rule and time; the local time of `zone` counts."""
    days = _days(sorted(work), ZoneInfo(zone))
    found = [each for rule in _RULES for each in rule(days)]
    found += _weeks(sorted(work), days, ZoneInfo(zone))
    return sorted(found, key=lambda each: (each.from_at, each.rule))


def _days(work: Sequence[WorkPeriod], zone: ZoneInfo) -> list[_Day]:
    groups: list[list[WorkPeriod]] = []
    for period in work:
        if groups and period.from_at - groups[-1][-1].until_at <= ONE_DUTY:
            groups[-1].append(period)
        else:
            groups.append([period])
    return [_day(group, zone) for group in groups]


def _day(group: Sequence[WorkPeriod], zone: ZoneInfo) -> _Day:
    nightly = sum((_between_midnight_and_six(each, zone) for each in group), timedelta())
    until_at = group[-1].until_at
    is_night = nightly > HOUR  # article 1:7(1)(d)
    return _Day(
        group[0].from_at,
        until_at,
        sum((each.until_at - each.from_at for each in group), timedelta()),
        is_night,
        is_night and _ends_after_two(group[0].from_at, until_at, zone),
    )


def _between_midnight_and_six(period: WorkPeriod, zone: ZoneInfo) -> timedelta:
    total = timedelta()
    day = period.from_at.astimezone(zone).date()
    while _at(day, time(), zone) < period.until_at:
        start = max(period.from_at, _at(day, time(), zone))
        total += max(timedelta(), min(period.until_at, _at(day, time(6), zone)) - start)
        day += timedelta(days=1)
    return total


def _ends_after_two(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> bool:
    last = until_at.astimezone(zone).date()
    return from_at < _at(last, NIGHT_ENDS, zone) < until_at or (
        from_at.astimezone(zone).date() == last and from_at < _at(last, time(6), zone)
    )


def _lengths(days: Sequence[_Day]) -> Iterator[WorkingTimeFinding]:
    for day in days:
        hours = day.work / HOUR
        if hours > LIMITS[R.LONGEST_SHIFT]:
            yield WorkingTimeFinding(R.LONGEST_SHIFT, hours, day.from_at, day.until_at)
        elif day.is_night and hours > LIMITS[R.LONGEST_NIGHT]:
            # 12 hours are allowed five times in two weeks and 22 times a year.
            yield WorkingTimeFinding(
                R.LONGEST_NIGHT, hours, day.from_at, day.until_at, refuses=False
            )


def _rests(days: Sequence[_Day]) -> Iterator[WorkingTimeFinding]:
    shortened: datetime | None = None
    for before, after in pairwise(days):
        rule = R.REST_AFTER_NIGHT if before.ends_late else R.DAILY_REST
        rest = after.from_at - before.until_at
        if rest >= LIMITS[rule] * HOUR:
            continue
        often = shortened is not None and after.from_at - shortened < WEEK
        yield WorkingTimeFinding(
            rule, rest / HOUR, before.until_at, after.from_at,
            refuses=rest < SHORTENED_REST or often,
        )  # fmt: skip
        shortened = after.from_at


def _rests_after_nights(days: Sequence[_Day]) -> Iterator[WorkingTimeFinding]:
    series = 0
    for before, after in pairwise(days):
        series = series + 1 if before.is_night else 0
        rest = after.from_at - before.until_at
        if rest >= LIMITS[R.REST_AFTER_NIGHTS] * HOUR:
            series = 0
        elif series >= 3 and not after.is_night:
            yield WorkingTimeFinding(
                R.REST_AFTER_NIGHTS, rest / HOUR, before.until_at, after.from_at
            )


def _weekly_rests(days: Sequence[_Day]) -> Iterator[WorkingTimeFinding]:
    rest = LIMITS[R.WEEKLY_REST] * HOUR
    first = 0
    for number, day in enumerate(days):
        following = days[number + 1].from_at - day.until_at if number + 1 < len(days) else None
        if following is not None and following < rest:
            continue
        stretch = day.until_at - days[first].from_at
        is_long = following is None or following >= LONG_REST
        if stretch > WEEK - rest and not (is_long and stretch <= 2 * WEEK - LONG_REST):
            most = max(
                (b.from_at - a.until_at for a, b in pairwise(days[first : number + 1])),
                default=timedelta(),
            )
            yield WorkingTimeFinding(R.WEEKLY_REST, most / HOUR, days[first].from_at, day.until_at)
        first = number + 1


def _weeks(
    work: Sequence[WorkPeriod], days: Sequence[_Day], zone: ZoneInfo
) -> list[WorkingTimeFinding]:
    """Check calendar weeks, and averages of several of them."""
    hours: dict[date, float] = defaultdict(float)
    for period in work:
        for monday, share in _by_week(period, zone):
            hours[monday] += share / HOUR
    nights: dict[date, int] = defaultdict(int)
    for day in days:
        if day.ends_late:
            nights[_monday(day.until_at, zone)] += 1
    found = []
    for monday in sorted(hours):
        week = (_at(monday, time(), zone), _at(monday + WEEK, time(), zone))
        if hours[monday] > LIMITS[R.WEEK]:
            found.append(WorkingTimeFinding(R.WEEK, hours[monday], *week))
        for rule, many in ((R.FOUR_WEEKS, 4), (R.SIXTEEN_WEEKS, 16)):
            span = [monday - number * WEEK for number in range(many)]
            average = sum(hours.get(each, 0.0) for each in span) / many
            if average > LIMITS[rule]:
                found.append(
                    WorkingTimeFinding(rule, average, _at(span[-1], time(), zone), week[1])
                )
        span = [monday - number * WEEK for number in range(16)]
        counted = sum(nights.get(each, 0) for each in span)
        if counted > LIMITS[R.NIGHTS]:
            found.append(
                WorkingTimeFinding(R.NIGHTS, counted, _at(span[-1], time(), zone), week[1])
            )
    return found


def _by_week(period: WorkPeriod, zone: ZoneInfo) -> Iterator[tuple[date, timedelta]]:
    start = period.from_at
    while start < period.until_at:
        monday = _monday(start, zone)
        end = min(period.until_at, _at(monday + WEEK, time(), zone))
        yield monday, end - start
        start = end


def _monday(at: datetime, zone: ZoneInfo) -> date:
    local = at.astimezone(zone).date()
    return local - timedelta(days=local.weekday())


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


_RULES: tuple[Callable[[Sequence[_Day]], Iterator[WorkingTimeFinding]], ...] = (
    _lengths,
    _rests,
    _rests_after_nights,
    _weekly_rests,
)
