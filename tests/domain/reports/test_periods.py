"""Reports are due on the client's own clock, also when the clock is changed."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.reports.periods import (
    Cadence,
    first_day_at,
    following,
    instant_of,
    period_from,
)

AMSTERDAM = "Europe/Amsterdam"


def naive_instant(day: date, at: time, zone: str) -> datetime:
    """Walk through the hours around the day until the wall clock shows the time, or is past it for the first time."""
    instant = datetime.combine(day, time(), tzinfo=UTC) - timedelta(hours=30)
    wanted = datetime.combine(day, at)
    while instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wanted:
        instant += timedelta(minutes=1)
    return instant


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2026, 3, 28), time(8), datetime(2026, 3, 28, 7, tzinfo=UTC)),
        (date(2026, 3, 29), time(8), datetime(2026, 3, 29, 6, tzinfo=UTC)),  # the day of 23 hours
        (
            date(2026, 3, 29),
            time(2, 30),
            datetime(2026, 3, 29, 1, tzinfo=UTC),
        ),  # does not exist: 03:00
        (date(2026, 10, 25), time(8), datetime(2026, 10, 25, 7, tzinfo=UTC)),  # the day of 25 hours
        (
            date(2026, 10, 25),
            time(2, 30),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),  # the first one
    ],
)
def test_a_local_time_is_the_first_one_there_is(day: date, at: time, expected: datetime) -> None:
    assert instant_of(day, at, AMSTERDAM) == expected


@given(
    day=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(
        [AMSTERDAM, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]
    ),
)
def test_a_local_time_is_found_as_by_walking_through_the_day(
    day: date, minute: int, zone: str
) -> None:
    at = time(minute // 60, minute % 60)
    assert instant_of(day, at, zone) == naive_instant(day, at, zone)


def test_a_year_of_days_has_one_report_each_and_leaves_no_instant_out() -> None:
    day, periods = date(2026, 1, 1), []
    while day < date(2027, 1, 1):
        periods.append(period_from(Cadence.DAILY, day, zone=AMSTERDAM, at=time(8)))
        day = following(Cadence.DAILY, day)
    assert len(periods) == 365
    assert all(a.until_at == b.from_at for a, b in itertools.pairwise(periods))
    lengths = {p.first_on: p.until_at - p.from_at for p in periods}
    assert lengths[date(2026, 3, 29)] == timedelta(hours=23)
    assert lengths[date(2026, 10, 25)] == timedelta(hours=25)
    assert len({p.due_at for p in periods}) == 365
    assert {p.due_at.astimezone(ZoneInfo(AMSTERDAM)).time() for p in periods} == {time(8)}


def test_a_weekly_review_is_about_monday_to_sunday_and_due_on_the_day_after() -> None:
    on = first_day_at(Cadence.WEEKLY, datetime(2026, 3, 27, 12, tzinfo=UTC), AMSTERDAM)
    period = period_from(Cadence.WEEKLY, on, zone=AMSTERDAM, at=time(8, 30))
    assert (on, period.last_on) == (date(2026, 3, 23), date(2026, 3, 29))
    assert period.until_at - period.from_at == timedelta(days=7) - timedelta(hours=1)
    assert period.due_at == datetime(2026, 3, 30, 6, 30, tzinfo=UTC)
    wednesday = period_from(Cadence.WEEKLY, on, zone=AMSTERDAM, at=time(8, 30), weekday=2)
    assert wednesday.due_at == period.due_at + timedelta(days=2)


def test_a_report_is_not_made_before_its_period_is_over() -> None:
    at_midnight = period_from(Cadence.DAILY, date(2026, 3, 1), zone=AMSTERDAM, at=time(0, 5))
    assert at_midnight.made_at == at_midnight.until_at
    usual = period_from(Cadence.DAILY, date(2026, 3, 1), zone=AMSTERDAM, at=time(8))
    assert usual.made_at == usual.due_at - timedelta(minutes=15)


def test_a_day_that_a_zone_left_out_is_empty() -> None:
    assert "Pacific/Apia" in available_timezones()
    period = period_from(Cadence.DAILY, date(2011, 12, 30), zone="Pacific/Apia", at=time(8))
    assert period.from_at == period.until_at
