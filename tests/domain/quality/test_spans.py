"""Windows on an account's calendar: contract years begin with the first agreement, on the account's days."""

from datetime import UTC, date, datetime

import pytest

from domain.quality.model import Window
from domain.quality.spans import Local, before, instant, span_at, touching
from domain.sla.columns import to_us

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

    years = list(touching(Window.CONTRACT_YEAR, local, us(2024, 3, 1), us(2028, 3, 1)))

    assert [f"{instant(year.from_us):%Y-%m-%d}" for year in years] == [
        "2024-02-29", "2025-03-01", "2026-03-01", "2027-03-01", "2028-02-29",
    ]  # fmt: skip
    assert [before(year, local) for year in years[1:]] == years[:-1]
