"""Whatever bytes a file holds, reading it ends in rows, reported rows or a refusal, never in a crash."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.core.errors import Refused
from domain.imports.column_file import Dialect
from domain.imports.decoding import Decoder
from domain.imports.reader import open_source
from domain.imports.rejects import Rejects
from tests.profiles import CASES, LOG, profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEADERS = {
    CASES: ("case", "opened", "due", "closed", "prio", "what", "type"),
    LOG: ("ticket", "at", "step", "state", "prio", "said"),
}
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "1", "2024-07-01 10:00", "2024-10-27 02:30", "New", "45474,5", "1719828000", "", "\0",
            "=1+1", "'=1", '"', "9" * 30, "2024-07-01 10:00:00 CEST", "P1D", "\u0661\u0662",
        ]
    ),
)  # fmt: skip
FORMATS = ["%Y-%m-%d %H:%M:%S %Z", "%d/%m/%Y", "excel"]
ENCODINGS = ["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-7", "ascii", "shift_jis", "cp037"]


def read(content: bytes, text: str, dialect: Dialect) -> int:
    """Rows and rejected rows of a file; -1 when it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        try:
            source = open_source(path, dialect)
            decoder = Decoder(profile(f"formats = {FORMATS}\n{text}"), source.header, at=NOW)
            count = 0
            with Rejects(Path(folder) / "rejects.csv", decoder.names, source.dialect) as rejects:
                for batch in source.batches(decoder.names):
                    done = decoder.decode(batch)
                    rejects.add(done.rejects)
                    count += len(done.rows) + len(done.rejects)
        except Refused:
            return -1
        return count


@pytest.mark.parametrize("text", [CASES, LOG])
@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=400),
    encoding=st.sampled_from(ENCODINGS),
    delimiter=st.sampled_from([None, ";", "\t", '"']),
    head=st.booleans(),
)
def test_no_bytes_crash_the_reader(
    text: str, content: bytes, encoding: str, delimiter: str | None, head: bool
) -> None:
    if delimiter == '"':
        delimiter = ","
    line = (delimiter or ",").join(HEADERS[text]) + "\n"
    start = line.encode(encoding) if head else b""
    assert read(start + content, text, Dialect(encoding, delimiter)) >= -1


@pytest.mark.parametrize("text", [CASES, LOG])
@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=7, max_size=7), max_size=6))
def test_no_cells_crash_the_decoder(text: str, rows: list[list[str]]) -> None:
    import csv
    import io

    header, out = HEADERS[text], io.StringIO()
    csv.writer(out).writerows([header, *(row[: len(header)] for row in rows)])
    content = out.getvalue().encode("utf-8", "surrogatepass")
    assert read(content, text, Dialect()) >= 0
