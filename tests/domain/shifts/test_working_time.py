"""Working-time rules, each with cases that were worked out by hand from the article it comes from.

Weeks begin on Monday; times are local ones of Amsterdam. 2026-03-02 is a Monday; the clock changes on 29 March and on
25 October.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.shifts.working_time import WorkingTimeRule, WorkPeriod, check

ZONE = "Europe/Amsterdam"
R = WorkingTimeRule
Hours = tuple[int, float, float]
"""Days after the Monday, hour of the start, hours worked."""


def at(day: int, hour: float, monday: str = "2026-03-02") -> datetime:
    """The wall clock of a day."""
    start = datetime.fromisoformat(monday) + timedelta(days=day, hours=hour)
    return start.replace(tzinfo=ZoneInfo(ZONE))


def found(
    work: Sequence[Hours], monday: str = "2026-03-02"
) -> list[tuple[WorkingTimeRule, float, bool]]:
    periods = [
        WorkPeriod(at(day, hour, monday).astimezone(ZoneInfo("UTC")),
                   at(day, hour + length, monday).astimezone(ZoneInfo("UTC")))
        for day, hour, length in work
    ]  # fmt: skip
    return [(each.rule, round(each.figure, 2), each.refuses) for each in check(periods, ZONE)]


def every(days: Sequence[int], hour: float, length: float) -> list[Hours]:
    return [(day, hour, length) for day in days]


WORKDAYS = [week * 7 + day for week in range(20) for day in range(5)]
CASES: dict[str, tuple[list[Hours], list[tuple[WorkingTimeRule, float, bool]]]] = {
    # 5:7(2)(a): twelve hours a shift
    "a shift of 12 hours": ([(0, 8, 12)], []),
    "a shift of 12.25 hours": ([(0, 8, 12.25)], [(R.LONGEST_SHIFT, 12.25, True)]),
    "two halves of one day": ([(0, 8, 6), (0, 15, 6.5)], [(R.LONGEST_SHIFT, 12.5, True)]),
    "two halves of 6 hours": ([(0, 8, 6), (0, 15, 6)], []),
    # 5:8(1) with 1:7: a night has more than one hour between midnight and six, and ten hours at most
    "a night of 10 hours": ([(0, 20, 10)], []),
    "a night of 10.5 hours": ([(0, 20, 10.5)], [(R.LONGEST_NIGHT, 10.5, False)]),
    "a night of 12.5 hours": ([(0, 18, 12.5)], [(R.LONGEST_SHIFT, 12.5, True)]),
    "an evening until 01:00 is no night": ([(0, 14, 11)], []),
    "an evening until 01:15 is one": ([(0, 14, 11.25)], [(R.LONGEST_NIGHT, 11.25, False)]),
    # 5:3(2): eleven hours of rest, once in seven days eight
    "11 hours of rest": ([(0, 8, 8), (1, 3, 8)], []),
    "10.5 hours of rest, once": ([(0, 8, 8), (1, 2.5, 3)], [(R.DAILY_REST, 10.5, False)]),
    "8 hours of rest, once": ([(0, 14, 8), (1, 6, 8)], [(R.DAILY_REST, 8, False)]),
    "7.5 hours of rest": ([(0, 14, 8), (1, 5.5, 8)], [(R.DAILY_REST, 7.5, True)]),
    "8 hours of rest twice in a week": (
        [(0, 14, 8), (1, 6, 4), (3, 14, 8), (4, 6, 4)],
        [(R.DAILY_REST, 8, False), (R.DAILY_REST, 8, True)],
    ),
    "8 hours of rest twice in eight days": (
        [(0, 14, 8), (1, 6, 4), (8, 14, 8), (9, 6, 4)],
        [(R.DAILY_REST, 8, False), (R.DAILY_REST, 8, False)],
    ),
    # 5:8(3): fourteen hours after a night that ends after two
    "14 hours after a night": ([(0, 22, 8), (1, 20, 8)], []),
    "13 hours after a night": ([(0, 22, 8), (1, 19, 8)], [(R.REST_AFTER_NIGHT, 13, False)]),
    "7 hours after a night": ([(0, 22, 8), (1, 13, 4)], [(R.REST_AFTER_NIGHT, 7, True)]),
    "12 hours after a night that ends at two": ([(0, 18, 8), (1, 14, 8)], []),
    "12 hours after a night that ends at 02:30": (
        [(0, 18, 8.5), (1, 14.5, 8)],
        [(R.REST_AFTER_NIGHT, 12, False)],
    ),
    # 5:8(4): 46 hours after three nights or more
    "two nights, then a day": ([*every([0, 1], 22, 8), (2, 22, 4), (3, 20, 4)][:3], []),
    "three nights, 46 hours, then a day": ([*every([0, 1, 2], 22, 8), (5, 4, 8)], []),
    "three nights, 40 hours, then a day": (
        [*every([0, 1, 2], 22, 8), (4, 22, 1.5)],
        [(R.REST_AFTER_NIGHTS, 40, True)],
    ),
    "two nights, 40 hours, then an evening": ([*every([0, 1], 22, 8), (3, 22, 1.5)], []),
    # 5:5(2): 36 hours in seven days, or 72 in fourteen
    "six days of eight hours": (every(range(6), 8, 8), []),
    "five days, the seventh free": ([*every(range(5), 8, 8), *every(range(7, 12), 8, 8)], []),
    "seven days in a row, then 72 hours": ([*every(range(7), 8, 8), (10, 8, 8)], []),
    "seven days in a row, then 40 hours": (
        [*every(range(7), 8, 8), (8, 8, 8)],
        [(R.WEEKLY_REST, 16, True)],
    ),
    "eleven days of seven hours, then a week": (every(range(11), 8, 7), []),
    "twelve days of seven hours": (every(range(12), 8, 7), [(R.WEEKLY_REST, 17, True)]),
    # 5:7(2)(b): 60 hours in a calendar week
    "60 hours in a week": (every(range(5), 8, 12), []),
    "61 hours in a week": ([*every(range(5), 8, 12), (5, 8, 1)], [(R.WEEK, 61, True)]),
    "60 hours in two weeks": ([*every(range(2, 5), 8, 12), *every([7, 8], 8, 12)], []),
    "a night from Sunday to Monday counts in both weeks": (
        [*every(range(4), 8, 12), (6, 20, 10), *every(range(8, 12), 8, 12)],
        [],
    ),
    # 5:7(3) and 5:7(2)(c): averages
    "four weeks of 55 hours": (every([w * 7 + d for w in range(4) for d in range(5)], 8, 11), []),
    "four weeks of 57.5 hours": (
        every([w * 7 + d for w in range(4) for d in range(5)], 8, 11.5),
        [(R.FOUR_WEEKS, 57.5, True)],
    ),
    "sixteen weeks of 47.5 hours": (every(WORKDAYS[:80], 8, 9.5), []),
    "sixteen weeks of 50 hours": (
        every(WORKDAYS[:80], 8, 10),
        [(R.SIXTEEN_WEEKS, 50, True)],
    ),
    # 5:8(6): 36 nights that end after two, in sixteen weeks
    "36 nights in sixteen weeks": (
        every([w * 7 + d for w in range(12) for d in range(3)], 23, 6),
        [],
    ),
    "39 nights in sixteen weeks": (
        every([w * 7 + d for w in range(13) for d in range(3)], 23, 6),
        [(R.NIGHTS, 39, True)],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_worked_by_hand(name: str) -> None:
    work, expected = CASES[name]
    assert found(work) == expected


def test_the_night_of_the_change_to_winter_time_has_an_hour_more() -> None:
    saturday = [(5, 21, 9.0)]  # 21:00 to 06:00 by the wall clock: ten hours
    assert found(saturday, "2026-10-19") == []
    assert found([(5, 20.5, 9.5)], "2026-10-19") == [(R.LONGEST_NIGHT, 10.5, False)]
    assert found([(5, 20.5, 9.5)], "2026-10-12") == []


def test_rest_over_the_change_to_summer_time_has_an_hour_less() -> None:
    work = [(5, 12, 8.0), (6, 7, 8.0)]  # 20:00 to 07:00 by the wall clock: ten hours
    assert found(work, "2026-03-23") == [(R.DAILY_REST, 10, False)]
    assert found(work, "2026-03-16") == []


def test_every_rule_names_its_article_and_figure() -> None:
    assert len(CASES) >= 40
    for work, _ in CASES.values():
        for each in check(
            [WorkPeriod(at(d, h), at(d, h + n)) for d, h, n in work], ZONE
        ):  # fmt: skip
            assert each.article.endswith("Atw")
            assert each.article in each.words
            assert each.limit > 0
    broken = {rule for _, expected in CASES.values() for rule, _, _ in expected}
    assert broken == set(R)
