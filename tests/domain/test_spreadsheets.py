"""Cells that a spreadsheet would calculate are written as text, and read back as they were."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.spreadsheets import neutralize, neutralize_everywhere, restore

MARKS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://example.org","see")',
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        " =1+1",
        "\uff1d1+1",
    ],
)
def test_a_formula_becomes_text_and_comes_back(text: str) -> None:
    assert neutralize(text) == f"'{text}"
    assert restore(neutralize(text)) == text


@pytest.mark.parametrize(
    "text", ["", "-71.05", "+31 6 12345678", "A door", "'s-Hertogenbosch", "2026-03-02"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralize(text) == text == restore(text)


@given(st.text(alphabet=[*MARKS, "'", '"', " ", "a", "1", ";", ","], max_size=12))
def test_no_text_changes_by_being_written_and_read(text: str) -> None:
    assert restore(neutralize(text)) == text


@pytest.mark.parametrize(
    "text", ['x;=HYPERLINK("u")', "x\t@SUM(A1)", "x; +cmd|' /C calc'!A0", "x,-2+3"]
)
def test_a_spreadsheet_with_another_delimiter_finds_no_formula_inside_a_text(text: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow(["x", neutralize_everywhere(text), "y"])
    for delimiter in ",;\t":
        [row] = csv.reader(io.StringIO(written.getvalue()), delimiter=delimiter)
        assert not [cell for cell in row if cell.strip().startswith(("=", "+", "-", "@"))]
