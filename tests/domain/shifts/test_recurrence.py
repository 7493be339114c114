"""A pattern becomes shifts by the wall clock: over both changes of the clock, New Year, week 53 and leap days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.core.errors import Refused
from domain.shifts.recurrence import LocalHours, expand, must_be_rule

ZONE = "Europe/Amsterdam"
NIGHT = LocalHours(time(22), time(6))
HOUR = timedelta(hours=1)


def hours_of(
    first: date, last: date, hours: LocalHours = NIGHT, rule: str = "FREQ=DAILY"
) -> list[float]:
    found = expand(rule, hours, ZONE, starts_on=first, first=first, last=last)
    return [(each.until_at - each.from_at) / HOUR for each in found]


def test_a_night_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    assert hours_of(date(2026, 3, 27), date(2026, 3, 29)) == [8, 7, 8]
    assert hours_of(date(2026, 10, 23), date(2026, 10, 25)) == [8, 9, 8]
    spring = expand("FREQ=DAILY", NIGHT, ZONE, starts_on=date(2026, 3, 28),
                    first=date(2026, 3, 28), last=date(2026, 3, 28))  # fmt: skip
    assert spring[0].from_at == datetime(2026, 3, 28, 21, tzinfo=UTC)
    assert spring[0].until_at == datetime(2026, 3, 29, 4, tzinfo=UTC)


def test_a_day_shift_of_24_hours_has_23_or_25_on_the_days_of_the_change() -> None:
    whole = LocalHours(time(0), time(0))
    assert hours_of(date(2026, 3, 28), date(2026, 3, 30), whole) == [24, 23, 24]
    assert hours_of(date(2026, 10, 24), date(2026, 10, 26), whole) == [24, 25, 24]


def test_a_time_that_is_skipped_comes_later_and_one_that_occurs_twice_is_the_first() -> None:
    [skipped] = expand("FREQ=DAILY", LocalHours(time(2, 30), time(10)), ZONE,
                       starts_on=date(2026, 3, 29), first=date(2026, 3, 29), last=date(2026, 3, 29))  # fmt: skip
    assert skipped.from_at.astimezone(ZoneInfo(ZONE)).time() == time(3, 30)
    [twice] = expand("FREQ=DAILY", LocalHours(time(2, 30), time(10)), ZONE,
                     starts_on=date(2026, 10, 25), first=date(2026, 10, 25), last=date(2026, 10, 25))  # fmt: skip
    assert twice.from_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (twice.until_at - twice.from_at) / HOUR == 8.5


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        (time(2), time(3), 60),
        (time(2, 30), time(3), 30),
        (time(2, 15), time(2, 45), 30),
        (time(2), time(3, 20), 20),
    ],
)
def test_hours_that_the_clock_skips_begin_after_it_and_keep_their_length(
    start: time, end: time, minutes: int
) -> None:
    found = LocalHours(start, end).on(date(2026, 3, 29), ZONE)
    assert found.from_at.astimezone(ZoneInfo(ZONE)).time() == start.replace(hour=3)
    assert found.until_at - found.from_at == timedelta(minutes=minutes)


def test_a_shift_over_new_year_belongs_to_the_day_on_which_it_begins() -> None:
    found = expand("FREQ=WEEKLY;BYDAY=TH", NIGHT, ZONE, starts_on=date(2026, 12, 3),
                   first=date(2026, 12, 28), last=date(2027, 1, 3))  # fmt: skip
    assert [each.on_day for each in found] == [date(2026, 12, 31)]
    assert found[0].on_day.isocalendar()[:2] == (2026, 53)
    assert found[0].until_at == datetime(2027, 1, 1, 5, tzinfo=UTC)


def test_every_other_week_counts_from_the_first_day_whatever_period_is_asked_for() -> None:
    rule, first = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", date(2026, 1, 5)
    whole = expand(rule, NIGHT, ZONE, starts_on=first, first=first, last=date(2026, 3, 1))
    assert [each.on_day.isocalendar().week for each in whole] == [2, 4, 6, 8]
    part = expand(
        rule, NIGHT, ZONE, starts_on=first, first=date(2026, 1, 12), last=date(2026, 1, 31)
    )
    assert [each.on_day for each in part] == [date(2026, 1, 19)]


@settings(max_examples=60, deadline=None)
@given(
    first=st.dates(date(2024, 1, 1), date(2032, 1, 1)),
    days=st.integers(0, 60),
    start=st.times().map(lambda at: at.replace(microsecond=0)),
    end=st.times().map(lambda at: at.replace(microsecond=0)),
)
def test_daily_shifts_of_any_hours_follow_each_other_in_the_wall_clock(
    first: date, days: int, start: time, end: time
) -> None:
    last = first + timedelta(days=days)
    found = expand(
        "FREQ=DAILY", LocalHours(start, end), ZONE, starts_on=first, first=first, last=last
    )
    plain = [
        day.date() for day in rrule(DAILY, dtstart=datetime.combine(first, time()), count=days + 1)
    ]
    assert [each.on_day for each in found] == plain
    for before, after in pairwise(found):
        assert timedelta(hours=23) <= after.from_at - before.from_at <= timedelta(hours=25)
    for each in found:
        assert timedelta() < each.until_at - each.from_at <= timedelta(hours=25)
        local = each.from_at.astimezone(ZoneInfo(ZONE))
        assert local.date() == each.on_day


@pytest.mark.parametrize(
    "rule",
    [
        "", "FREQ=HOURLY", "FREQ=DAILY;UNTIL=20260101", "FREQ=WEEKLY;BYDAY=XX", "BYDAY=MO",
        "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;FREQ=WEEKLY", "RRULE:FREQ=DAILY", "FREQ=DAILY\nEXDATE:1",
        "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;" * 30, "FREQ=DAILY;COUNT=x",
    ],
)  # fmt: skip
def test_what_is_no_rule_of_days_is_refused(rule: str) -> None:
    with pytest.raises(Refused, match="rule"):
        must_be_rule(rule, "rule")


def test_a_rule_without_a_day_is_searched_for_no_longer_than_the_period() -> None:
    rule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31"
    must_be_rule(rule, "rule")
    assert expand(rule, NIGHT, ZONE, starts_on=date(2026, 1, 1), first=date(2026, 1, 1),
                  last=date(2027, 1, 1)) == []  # fmt: skip
