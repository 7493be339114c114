"""Rows become tickets or are refused with a reason; wall clocks become instants by one rule."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from domain.core.errors import Refused
from domain.imports.column_file import Cell, RowBatch
from domain.imports.decoding import Decoder
from domain.imports.staged import Decoded
from tests.profiles import CASES, LOG, profile

HEADER = ("case", "opened", "due", "closed", "prio", "what", "type")
GOOD = dict(zip(HEADER, ("A1", "2026-03-02 09:00", "", "", "1", "A door", "lock"), strict=True))


def decoded(
    *rows: Mapping[str, Cell], text: str = CASES, header: tuple[str, ...] = HEADER
) -> Decoded:
    decoder = Decoder(profile(text), header)
    columns = [[row[name] for row in rows] for name in decoder.names]
    return decoder.decode(RowBatch(range(1, len(rows) + 1), columns))


def case(**changed: Cell) -> Decoded:
    return decoded({**GOOD, **changed})


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2026-03-02 09:00", "2026-03-02T08:00:00Z"),
        ("2026-03-02T09:00:00.25", "2026-03-02T08:00:00.250000Z"),
        ("2026-03-02T09:00:00+00:00", "2026-03-02T09:00:00Z"),
        ("2026-03-02", "2026-03-01T23:00:00Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),  # happens twice: the first, in summer time
        (datetime(2026, 7, 1, 12), "2026-07-01T10:00:00Z"),  # noqa: DTZ001 - as Parquet gives it
        (datetime(2026, 7, 1, 12, tzinfo=UTC), "2026-07-01T12:00:00Z"),
    ],
)
def test_a_wall_clock_is_of_the_profiles_zone(wall: Cell, utc: str) -> None:
    [row] = case(opened=wall).rows
    assert row.opened_at == datetime.fromisoformat(utc)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"case": " "}, "no key"),
        ({"case": "x" * 201}, "a key of more than 200"),
        ({"case": "a\0b"}, "a NUL"),
        ({"opened": ""}, "opening is empty"),
        ({"opened": "yesterday"}, "not an instant: 'yesterday'"),
        ({"opened": "2026-02-30 10:00"}, "not an instant"),
        ({"opened": "0001-01-01"}, "no such instant|outside the years"),
        ({"opened": "9999-12-31 23:59"}, "outside the years"),
        ({"closed": "2026-03-02 08:58:59"}, "incident.closed is 0:01:01 before the opening"),
        ({"closed": "soon"}, "not an instant"),
        ({"prio": "9"}, "unknown priority: '9'"),
        ({"prio": ""}, "no priority"),
        ({"what": ""}, "no summary"),
        ({"what": "x" * 20_001}, "ticket.summary: a text of more than 20,000"),
        ({"what": "a\0b"}, "ticket.summary: a NUL"),
    ],
)
def test_a_row_that_says_what_cannot_be_is_refused_with_the_reason(
    changed: dict[str, Cell], reason: str
) -> None:
    done = decoded(GOOD, {**GOOD, **changed})
    assert [row.number for row in done.rows] == [1]
    [reject] = done.rejects
    assert reject.number == 2
    with pytest.raises(ValueError, match=reason):
        raise ValueError(reject.reason)


def test_a_clock_that_ran_a_little_slow_is_moved_to_the_opening_and_remembered() -> None:
    done = case(closed="2026-03-02 08:59:30")
    [row], [told] = done.rows, done.told
    assert told.at == row.opened_at
    assert told.said_at == told.at - timedelta(seconds=30)


def test_what_a_spreadsheet_wrote_as_a_float_is_the_whole_number_it_was() -> None:
    [row] = case(case="45.0", prio="1.0").rows
    assert (row.key, row.priority) == ("45", "critical")


def test_columns_are_the_same_whatever_their_case_and_blanks() -> None:
    header = ("CASE", " Opened ", "Due", "Closed", "Prio", "WHAT", "\ufefftype")
    row = dict(zip(header, GOOD.values(), strict=True))
    assert len(decoded(row, header=header).rows) == 1


def test_a_missing_column_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(
        Refused, match=r"facts\[0\].at: the file has no column closed; it has case, opened"
    ):
        Decoder(profile(CASES), ("case", "opened", "due", "prio", "what", "type"))


def test_an_optional_column_may_be_missing() -> None:
    text = CASES.replace('at = "closed"', 'at = "closed"\noptional = true')
    header = ("case", "opened", "due", "prio", "what", "type")
    assert decoded(GOOD, text=text, header=header).told == []


def test_of_several_names_the_first_that_the_file_has_is_read() -> None:
    text = CASES.replace('key = "case"', 'key = ["number", "case"]')
    [row] = decoded(GOOD, text=text).rows
    assert row.key == "A1"


def test_a_fact_is_told_only_where_its_condition_holds() -> None:
    text = CASES.replace('at = "closed"', 'at = "closed"\nwhen = { type = ["lock", "key"] }')
    closed = {**GOOD, "closed": "2026-03-03 10:00"}
    done = decoded(closed, {**closed, "type": "other"}, text=text)
    assert [told.number for told in done.told] == [1]


def test_an_unknown_state_is_refused_and_an_ignored_one_is_not() -> None:
    header = ("ticket", "at", "step", "state", "prio", "said")
    rows = [
        dict(zip(header, ("1", "2026-03-02 09:00", "1", state, "1", ""), strict=True))
        for state in ("New", "-100", "Lost")
    ]
    done = decoded(*rows, text=LOG, header=header)
    assert [row.meaning for row in done.rows] == ["new", None]
    assert [reject.reason for reject in done.rejects] == ["unknown state: 'Lost'"]
