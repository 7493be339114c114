"""Instants, zones and durations as other systems write them: the profile's format wins, nothing is guessed."""

from datetime import UTC, datetime

import pytest

from domain.core.errors import Refused
from domain.imports.column_file import Cell, RowBatch
from domain.imports.decoding import Decoder
from domain.imports.folds import Wall, second_hour
from domain.imports.staged import Decoded
from tests.profiles import CASES, profile

HEADER = ("case", "opened", "due", "closed", "prio", "what", "type")
GOOD = dict(zip(HEADER, ("A1", "2024-07-01 09:00", "", "", "1", "A door", "lock"), strict=True))


def decoded(text: str = CASES, *, at: str = "2026-06-01T00:00:00Z", **changed: Cell) -> Decoded:
    decoder = Decoder(profile(text), HEADER, at=datetime.fromisoformat(at))
    columns: list[list[Cell]] = [[(GOOD | changed)[name]] for name in decoder.names]
    return decoder.decode(RowBatch([1], columns))


def with_formats(*formats: str) -> str:
    return f"formats = {list(formats)!r}\n{CASES}"


@pytest.mark.parametrize(
    ("form", "cell", "utc"),
    [
        ("%Y-%m-%d %H.%M", "2024-07-01 14.05", "2024-07-01T12:05:00Z"),
        ("%Y-%m-%d %H.%M", "2024-07-01 14.50", "2024-07-01T12:50:00Z"),
        ("%d%m%Y", "01072024", "2024-06-30T22:00:00Z"),
        ("%Y%d%m", "20240107", "2024-06-30T22:00:00Z"),
        ("%Y-%d-%m %H:%M", "2024-01-07 10:00", "2024-07-01T08:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-07-01 10:00:00 UTC", "2024-07-01T10:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-07-01 10:00:00 GMT", "2024-07-01T10:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-07-01 10:00:00 CEST", "2024-07-01T08:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-10-27 02:30:00 CEST", "2024-10-27T00:30:00Z"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-10-27 02:30:00 CET", "2024-10-27T01:30:00Z"),
        ("%Y-%m-%d %H:%M %Z", "2024-07-01 10:00 America/New_York", "2024-07-01T14:00:00Z"),
        ("%a %b %d %H:%M:%S %Z %Y", "Mon Jul 01 10:00:00 UTC 2024", "2024-07-01T10:00:00Z"),
        ("%Y-%m-%d %H:%M:%S %z", "2024-07-01 10:00:00 +0530", "2024-07-01T04:30:00Z"),
        ("%d/%m/%Y %I:%M %p", "01/07/2024 02:05 PM", "2024-07-01T12:05:00Z"),
        ("excel", "45474,5", "2024-07-01T10:00:00Z"),
        ("excel", "45474.5868", "2024-07-01T12:05:00Z"),
        ("excel", "45474", "2024-06-30T22:00:00Z"),
        ("unix", "1719828000", "2024-07-01T10:00:00Z"),
        ("unix", "1719828000,5", "2024-07-01T10:00:00.500000Z"),
        ("unix_ms", "1719828000123", "2024-07-01T10:00:00.123000Z"),
        ("excel", "2024-07-01 12:00", "2024-07-01T10:00:00Z"),
        ("%d-%m-%Y", "2024-07-01T10:00:00Z", "2024-07-01T10:00:00Z"),
    ],
)
def test_the_profiles_own_format_is_read_and_its_zone_heeded(
    form: str, cell: str, utc: str
) -> None:
    done = decoded(with_formats(form), opened=cell)
    assert done.rejects == []
    assert done.rows[0].opened_at == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("form", "cell", "reason"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "2024-07-01 10:00:00 EST", "not an instant"),
        ("%Y-%m-%d %H:%M:%S %Z", "2024-07-01 10:00:00 CET", "CET was not the time of"),
        ("%Y-%m-%d", "2024-07-01 14.05", "not an instant"),
        ("unix", "1719828000123", "no such instant|outside the years"),
        ("excel", "1719828000", "no such instant|outside the years"),
        ("excel", "45.474,5", "not an instant"),
    ],
)
def test_what_is_in_no_format_is_refused(form: str, cell: str, reason: str) -> None:
    [reject] = decoded(with_formats(form), opened=cell).rejects
    with pytest.raises(ValueError, match=reason):
        raise ValueError(reject.reason)


@pytest.mark.parametrize("cell", ["2024-07-01 14.05", "2024-07-01 14", "45474.5", "2024-W27-1"])
def test_without_a_format_only_plain_iso_8601_is_read(cell: str) -> None:
    assert len(decoded(opened=cell).rejects) == 1


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        (["%Q"], "formats: '%Q'"),
        (["%H:%M"], "no year, month and day"),
        (["%d/%m/%Y %I:%M"], "morning from evening"),
        (["unix", "excel"], "cannot be told"),
    ],
)
def test_a_format_that_loses_something_is_refused(formats: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said):
        profile(with_formats(*formats))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"opened": "2024-03-31 02:30"}, "clocks of Europe/Amsterdam skipped"),
        ({"closed": "2042-01-01 10:00"}, "lies ahead"),
        ({"opened": "2026-06-01 02:06", "closed": ""}, "lies ahead"),
        ({"opened": "1989-12-31 10:00"}, "outside the years 1990"),
        ({"closed": "2024-06-30 10:00"}, "before the opening"),
    ],
)
def test_an_instant_that_cannot_be_is_reported(cells: dict[str, str], reason: str) -> None:
    [reject] = decoded(**cells).rejects
    assert reason in reject.reason


def test_an_agreed_date_may_lie_ahead() -> None:
    assert decoded(due="2027-01-01 10:00").rejects == []


@pytest.mark.parametrize(
    ("opened", "closed", "minutes"),
    [
        ("2024-10-27 02:50", "2024-10-27 02:05", 15),
        ("2024-10-27 01:30", "2024-10-27 02:05", 35),
        ("2024-10-27 02:05", "2024-10-27 02:50", 45),
        ("2024-10-27 02:50", "2024-10-27 03:05", 75),
    ],
)
def test_the_order_of_the_columns_says_which_of_two_hours_is_meant(
    opened: str, closed: str, minutes: int
) -> None:
    done = decoded(opened=opened, closed=closed)
    assert done.rejects == []
    assert done.rows[0].opened_at is not None
    assert (done.told[0].at - done.rows[0].opened_at).total_seconds() == minutes * 60


def test_the_order_of_the_rows_says_which_of_two_hours_is_meant() -> None:
    def wall(number: int, minute: int, again: bool = True) -> Wall:
        at = datetime(2024, 10, 27, 0, minute, tzinfo=UTC)
        return Wall(number, at, at.replace(hour=1) if again else None)

    assert second_hour([wall(1, 50), wall(2, 5), wall(3, 40)]) == [2, 3]
    early, late = (Wall(n, datetime(2024, 10, d, tzinfo=UTC), None) for n, d in ((0, 26), (9, 28)))
    assert second_hour([early, wall(1, 50), wall(2, 5), late]) == [2]
    assert second_hour([late, wall(2, 5), wall(1, 50), early]) == [2]
    assert second_hour([early, late, wall(1, 50), wall(2, 5), early]) == []


@pytest.mark.parametrize(
    ("unit", "cell", "seconds"),
    [
        ("minutes", "75", 4_500),
        ("minutes", "7,5", 450),
        ("seconds", "90", 90),
        ("hours", "1.25", 4_500),
        ("minutes", "1:15", 4_500),
        ("minutes", "01:15:30", 4_530),
        ("minutes", "2 days, 1:15:30", 177_330),
        ("minutes", "PT1H15M", 4_500),
        ("minutes", "P1DT0,5H", 88_200),
        ("minutes", "0", 0),
    ],
)
def test_a_duration_counts_from_the_opening(unit: str, cell: str, seconds: int) -> None:
    text = CASES.replace('at = "closed"', f'after = "closed"\nunit = "{unit}"')
    done = decoded(text, closed=cell)
    assert done.rejects == []
    assert done.rows[0].opened_at is not None
    assert (done.told[0].at - done.rows[0].opened_at).total_seconds() == seconds


@pytest.mark.parametrize("cell", ["-5", "soon", "1:75", "P", "PT", "P1Y", "99999999", "1:2:3:4"])
def test_what_is_no_duration_is_refused(cell: str) -> None:
    text = CASES.replace('at = "closed"', 'after = "closed"')
    assert len(decoded(text, closed=cell).rejects) == 1
