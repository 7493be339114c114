"""A calendar's hours become instants: zones, holidays, closures, days of 23 and 25 hours."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendars.rules import calendars_for, expand
from domain.calendars.spec import CalendarSpec
from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.kernels.columns import PromiseInput, promise_columns
from domain.evaluator.kernels.working_time import exceeded_at, reached_at, working
from tests import naive
from tests.domain.evaluator.examples import HOUR, MINUTE, NEVER, OFFICE, SPECS, local

NEVER_OPEN = ((),) * 7
ROUND = ((0, 1440),)


def intervals(spec: CalendarSpec, first: date, last: date) -> list[tuple[int, int]]:
    found = expand(spec, first, last)
    return list(zip(found.open_us.tolist(), found.close_us.tolist(), strict=True))


@pytest.mark.parametrize(("day", "hours"), [(29, 23), (30, 24), (28, 24)])
def test_a_day_has_as_many_hours_as_its_clock_shows(day: int, hours: int) -> None:
    spec = CalendarSpec("Europe/Amsterdam", hours=(ROUND,) * 7)

    [(opens, closes)] = intervals(spec, date(2026, 3, day), date(2026, 3, day))

    assert closes - opens == hours * HOUR


def test_the_autumn_day_has_25_hours() -> None:
    spec = CalendarSpec("Europe/Amsterdam", hours=(ROUND,) * 7)

    [(opens, closes)] = intervals(spec, date(2026, 10, 25), date(2026, 10, 25))

    assert closes - opens == 25 * HOUR


def test_an_edge_in_the_skipped_hour_moves_to_the_switch() -> None:
    spec = CalendarSpec("Europe/Amsterdam", hours=(((150, 240),),) * 7)  # 02:30-04:00

    [found] = intervals(spec, date(2026, 3, 29), date(2026, 3, 29))

    assert found == (local(2026, 3, 29, 3, 0), local(2026, 3, 29, 4, 0))


def test_an_interval_in_the_hour_that_comes_twice_counts_both_times() -> None:
    spec = CalendarSpec("Europe/Amsterdam", hours=(((150, 240),),) * 7)

    found = intervals(spec, date(2026, 10, 25), date(2026, 10, 25))

    assert found == [
        (local(2026, 10, 25, 2, 30, fold=0), local(2026, 10, 25, 2, 0, fold=1)),
        (local(2026, 10, 25, 2, 30, fold=1), local(2026, 10, 25, 4, 0)),
    ]


def test_intervals_that_touch_at_midnight_are_one() -> None:
    spec = CalendarSpec("UTC", hours=(ROUND,) * 5 + ((), ()))

    found = intervals(spec, date(2026, 6, 15), date(2026, 6, 28))

    assert [b - a for a, b in found] == [5 * 24 * HOUR] * 2


def test_holidays_are_free_and_good_friday_is_a_choice() -> None:
    good_friday = date(2026, 4, 3)
    free = CalendarSpec("Europe/Amsterdam", hours=(OFFICE,) * 7, country="NL")
    worked = CalendarSpec(
        "Europe/Amsterdam", hours=(OFFICE,) * 7, country="NL", holidays_left_out=("good friday",)
    )

    assert intervals(free, good_friday, good_friday) == []
    assert len(intervals(worked, good_friday, good_friday)) == 1


def test_a_subdivision_has_holidays_of_its_own() -> None:
    patriots_day = date(2015, 4, 20)
    country = CalendarSpec("America/New_York", hours=(OFFICE,) * 7, country="US")
    state = CalendarSpec("America/New_York", hours=(OFFICE,) * 7, country="US", subdivision="MA")

    assert len(intervals(country, patriots_day, patriots_day)) == 1
    assert intervals(state, patriots_day, patriots_day) == []


def test_a_listed_closure_is_free() -> None:
    spec = CalendarSpec("UTC", hours=(OFFICE,) * 7, closures=(date(2026, 6, 16),))

    assert len(intervals(spec, date(2026, 6, 15), date(2026, 6, 17))) == 2


@pytest.mark.parametrize("spec", SPECS, ids=range(len(SPECS)))
def test_a_calendar_survives_json(spec: CalendarSpec) -> None:
    assert CalendarSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        ({"hours": {"mon": [["09:00", "17:00"]]}}, "needs a zone"),
        ({"zone": "Mars/Olympus", "always_open": True}, "unknown time zone"),
        ({"zone": "UTC"}, "either has hours or is always open"),
        ({"zone": "UTC", "always_open": True, "country": "NL"}, "cannot have holidays"),
        ({"zone": "UTC", "always_open": "yes"}, "true or false"),
        ({"zone": "UTC", "always_open": True, "colour": "red"}, "unknown calendar keys: colour"),
        ({"zone": "UTC", "hours": {"maandag": []}}, "hours are like"),
        ({"zone": "UTC", "hours": {"mon": 9}}, "hours are like"),
        ({"zone": "UTC", "hours": [1]}, "hours are like"),
        ({"zone": "UTC", "hours": {"mon": [["09:00"]]}}, "a start and an end"),
        ({"zone": "UTC", "hours": {"mon": [["9:00", "17:00"]]}}, "like 08:30"),
        ({"zone": "UTC", "hours": {"mon": [["09:60", "17:00"]]}}, "invalid time of day"),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "09:00"]]}}, "must not end when it begins"),
        ({"zone": "UTC", "hours": {"mon": [["24:00", "09:00"]]}}, "must begin before 24:00"),
        (
            {"zone": "UTC", "hours": {"mon": [["22:00", "06:00"]], "tue": [["05:00", "09:00"]]}},
            "tue: intervals must be .*disjoint",
        ),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "17:00"], ["16:00", "18:00"]]}}, "disjoint"),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "24:30"]]}}, "invalid time of day"),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "closures": ["soon"]}, "a date"),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "country": "XX"}, "no such holi"),
        ({"zone": "UTC", "hours": {"mon": [["09:00", "17:00"]]}, "subdivision": "MA"}, "country"),
        (
            {
                "zone": "UTC",
                "hours": {"mon": [["09:00", "17:00"]]},
                "country": "NL",
                "holidays_left_out": ["Godd Friday"],
            },
            "has no holiday 'Godd Friday'",
        ),
    ],
)
def test_nonsense_is_refused_with_its_reason(stored: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CalendarSpec.from_dict(stored)


def test_the_horizon_grows_to_the_longest_target() -> None:
    weekly = CalendarSpec("UTC", hours=(((540, 600),), *NEVER_OPEN[1:]))
    at = local(2026, 6, 15)
    short = promise_columns([PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)])
    long = promise_columns([PromiseInput(PromiseClass.FLOW, NEVER, business_days=(400,) * 4)])

    near, far = (calendars_for([weekly], p, at, at).until_us[0] for p in (short, long))

    assert near < at + 2 * 366 * 24 * HOUR
    assert far > at + 400 * 7 * 24 * HOUR


def test_a_target_no_calendar_can_hold_is_refused() -> None:
    weekly = CalendarSpec("UTC", hours=(((540, 541),), *NEVER_OPEN[1:]))
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, (10_000 * HOUR,) * 4)])

    with pytest.raises(ValueError, match="do not hold"):
        calendars_for([weekly], promises, local(2026, 6, 15), local(2026, 6, 15))


@settings(max_examples=300, deadline=None)
@given(
    k=st.integers(1, len(SPECS) - 1),
    offset=st.integers(0, 28 * 24 * 60).map(lambda m: m * MINUTE),
    beside=st.sampled_from([0, 0, 1, -1, 12_345_678]),
    more=st.integers(0, 60 * HOUR),
    season=st.sampled_from([local(2026, 3, 21), local(2026, 10, 19)]),
)
def test_both_inverses_are_inverses_and_lie_on_their_own_side(
    k: int, offset: int, beside: int, more: int, season: int
) -> None:
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)] * len(SPECS))
    cal = calendars_for(SPECS, promises, season, season)
    t = season + offset + beside
    c = working(cal.head[k], cal.data, t) + more

    after, reached = (
        exceeded_at(cal.head[k], cal.data, c),
        reached_at(cal.head[k], cal.data, max(c, 1)),
    )

    assert working(cal.head[k], cal.data, after) == c < working(cal.head[k], cal.data, after + 1)
    assert (
        working(cal.head[k], cal.data, reached - 1)
        < max(c, 1)
        == working(cal.head[k], cal.data, reached)
    )


@settings(max_examples=60, deadline=None)
@given(
    k=st.integers(1, len(SPECS) - 1),
    a=st.integers(0, 20 * 24 * 60),
    b=st.integers(0, 20 * 24 * 60),
    season=st.sampled_from([(date(2026, 3, 20), date(2026, 5, 25))]),
)
def test_working_time_is_the_number_of_working_minutes(
    k: int, a: int, b: int, season: tuple[date, date]
) -> None:
    start = local(*season[0].timetuple()[:3]) + 24 * HOUR
    low, high = sorted((start + a * MINUTE, start + b * MINUTE))
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, (HOUR,) * 4)] * len(SPECS))
    cal = calendars_for(SPECS, promises, start, start)

    minutes = naive.working_minutes(SPECS[k], *season)

    counted = sum(low <= m * MINUTE < high for m in minutes)
    assert (
        working(cal.head[k], cal.data, high) - working(cal.head[k], cal.data, low)
        == counted * MINUTE
    )
