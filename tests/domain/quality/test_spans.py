"""Windows on an account's calendar: contract years begin with the first agreement, on the account's days."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.promises.translation import to_us
from domain.quality.actions import spans_of
from domain.quality.model import Window
from domain.quality.windows import (
    DAY,
    Local,
    before,
    instant,
    span_at,
    span_columns,
    windows_touching,
)
from tests import naive_windows as twin

AMSTERDAM = "Europe/Amsterdam"


def us(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return to_us(datetime(year, month, day, hour, minute, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at_us", "begins"),
    [
        (us(2026, 3, 14, 22, 59), "2025-03-14T23:00"),  # the last minute before, in Amsterdam
        (us(2026, 3, 14, 23, 0), "2026-03-14T23:00"),
        (us(2026, 12, 31, 23, 30), "2026-03-14T23:00"),
    ],
)
def test_a_contract_year_begins_on_the_anniversary_of_the_first_agreement(
    at_us: int, begins: str
) -> None:
    span = span_at(Window.CONTRACT_YEAR, Local(AMSTERDAM, date(2024, 3, 15)), at_us)

    assert f"{instant(span.from_us):%Y-%m-%dT%H:%M}" == begins
    assert span.from_us <= at_us < span.until_us


def test_a_contract_of_a_leap_day_begins_its_other_years_on_the_first_of_march() -> None:
    local = Local("UTC", date(2024, 2, 29))

    years = list(windows_touching(Window.CONTRACT_YEAR, local, us(2024, 3, 1), us(2028, 3, 1)))

    assert [f"{instant(year.from_us):%Y-%m-%d}" for year in years] == [
        "2024-02-29", "2025-03-01", "2026-03-01", "2027-03-01", "2028-02-29",
    ]  # fmt: skip
    assert [before(year, local) for year in years[1:]] == years[:-1]


@settings(max_examples=40, deadline=None)
@given(
    first_us=st.integers(us(2023, 1, 1), us(2026, 1, 1)),
    width_us=st.integers(0, 400 * DAY),
    year_starts=st.sampled_from([date(2020, 1, 1), date(2024, 2, 29), date(2025, 11, 5)]),
)
def test_windows_are_those_of_the_twin_that_walks_through_the_days(
    first_us: int, width_us: int, year_starts: date
) -> None:
    at_us = first_us + width_us
    kinds = {str(window): window.name for window in Window} | {"contract_year": "YEAR"}

    spans = spans_of(Local(AMSTERDAM, year_starts), first_us, at_us)

    expected = [
        window
        for window in twin.all_windows(AMSTERDAM, first_us, at_us, year_starts)
        if not window[0].startswith("LAST") or window[2] == at_us
    ]
    assert [(kinds[str(s.window)], s.from_us, s.until_us) for s in spans] == expected
    _, columns = span_columns(spans)
    assert columns.from_us.tolist() == [since for _, since, _ in expected]
    assert columns.ends_us[columns.end].tolist() == columns.until_us.tolist()
