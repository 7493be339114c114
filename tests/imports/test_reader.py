"""Files as they come: any delimiter, torn lines, wrong bytes; what cannot be read costs one row."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from domain.core.errors import Refused
from domain.imports.column_file import Cell, MalformedRow
from domain.imports.reader import open_source

Read = tuple[list[tuple[int, tuple[Cell, ...]]], list[MalformedRow]]


def read(path: Path, *names: str) -> Read:
    source = open_source(path)
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    torn: list[MalformedRow] = []
    for batch in source.batches(names or source.header):
        rows += zip(batch.numbers, zip(*batch.columns, strict=True), strict=True)
        torn += batch.torn
    assert source.progress() == 1.0
    return rows, torn


def written(path: Path, text: str | bytes) -> Path:
    path = path / "file.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_usual_dialects_are_recognised(tmp_path: Path, mark: str, start: str, end: str) -> None:
    lines = [mark.join(row) for row in (["id", "what"], ["1", "één"], ["2", ""])]
    rows, torn = read(written(tmp_path, start + end.join(lines)))
    assert (rows, torn) == ([(2, ("1", "één")), (3, ("2", ""))], [])


def test_quoted_line_ends_belong_to_the_field(tmp_path: Path) -> None:
    rows, torn = read(written(tmp_path, 'id,what\n1,"a\nb, ""c"""\n2,d\n'))
    assert (rows, torn) == ([(2, ("1", 'a\nb, "c"')), (4, ("2", "d"))], [])


def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, torn = read(written(tmp_path, 'id,what\n1,a\n2,"b\n3,c\n4,d\n'))
    assert [number for number, _ in rows] == [2, 4, 5]
    assert [(t.number, t.text) for t in torn] == [(3, '2,"b\n')]


def test_a_quote_closed_by_the_next_rows_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, torn = read(written(tmp_path, 'id,what\n1,"b\n2,"c"\n3,d\n'))
    assert rows == [(3, ("2", "c")), (4, ("3", "d"))]
    assert [t.number for t in torn] == [2]


def test_rows_of_another_width_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    rows, torn = read(written(tmp_path, "id,what\n1\n\n2,b\n3,c,d\n"))
    assert rows == [(4, ("2", "b"))]
    assert [(t.number, t.reason) for t in torn] == [
        (2, "1 fields instead of 2"),
        (5, "3 fields instead of 2"),
    ]


def test_bytes_that_are_not_text_cost_one_row(tmp_path: Path) -> None:
    rows, torn = read(written(tmp_path, b"id,what\n1,a\n2,\xff\xfe\n3,c\n"))
    assert [number for number, _ in rows] == [2, 4]
    assert [(t.number, "not text" in t.reason) for t in torn] == [(3, True)]


def test_a_huge_field_costs_one_row(tmp_path: Path) -> None:
    huge = "x" * 3_000_000
    rows, torn = read(written(tmp_path, f'id,what\n1,a\n2,{huge}\n3,"{huge}"\n4,d\n'))
    assert [number for number, _ in rows] == [2, 5]
    assert [t.number for t in torn] == [3, 4]
    assert max(len(t.text) for t in torn) <= 1_000


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\x00\x01\x02\x03", b"PAR1 but no more", b"\xff\xfeid"]
)
def test_what_is_neither_csv_nor_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused, match=r"file\.csv: "):
        read(written(tmp_path, content))


def wall(*parts: int) -> datetime:
    """A wall clock that says no zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - wall clocks have no zone


def parquet(path: Path, columns: dict[str, pa.Array]) -> Path:
    path = path / "file"
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_parquet_is_recognised_by_its_content_and_read_as_text_and_instants(tmp_path: Path) -> None:
    when = [wall(2026, 3, 29, 2, 30), None, wall(2026, 1, 1, 0, 0, 0, 5)]
    columns = {
        "id": pa.array([1, None, 3]),
        "share": pa.array([1.0, None, 2.5]),
        "wall": pa.array(when, pa.timestamp("us")),
        "ns": pa.array(when, pa.timestamp("ns")),
        "zoned": pa.array(when, pa.timestamp("ms", tz="Europe/Amsterdam")),
        "day": pa.array([date(2026, 1, 1), None, None]),
        "word": pa.array(["a", None, "a"]).dictionary_encode(),
        "flag": pa.array([True, None, False]),
    }
    rows, _ = read(parquet(tmp_path, columns))
    zoned = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    assert [number for number, _ in rows] == [1, 2, 3]
    assert rows[0][1] == ("1", "1", when[0], when[0], zoned, wall(2026, 1, 1), "a", "true")
    assert set(rows[1][1]) == {None}
    assert rows[2][1][1:4] == ("2.5", when[2], when[2])


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    columns: dict[str, Sequence[object]] = {"a": ["1"], "b": [{"deep": [1]}]}
    path = parquet(tmp_path, {name: pa.array(values) for name, values in columns.items()})
    assert read(path, "a")[0] == [(1, ("1",))]
