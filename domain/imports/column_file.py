"""Files as columns: rows in batches, in memory that does not grow with the file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from domain.core.errors import Code, Refused

Cell = str | datetime | None
BATCH = 8_192  # rows; twice as many is no faster and takes twice the memory
NOTE = "ticket "
"""Prefix of the reason of a row that was imported, but not with all of its values."""

REJECTED = ("row", "reason")
"""The first two columns of a file of rejected rows (see `rejects.py`)."""


class MalformedRow(NamedTuple):
    """Part of a file that is no valid row."""

    number: int
    reason: str
    text: str


class Dialect(NamedTuple):
    """Format of a CSV file; `delimiter` None is the one that the header line uses most."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'


class RowBatch(NamedTuple):
    """Some rows, column by column in the requested order; `numbers` are their positions in the file."""

    numbers: Sequence[int]
    columns: Sequence[Sequence[Cell]]
    torn: Sequence[MalformedRow] = ()


class ColumnFile(Protocol):
    """A file with named columns."""

    header: list[str]
    dialect: Dialect

    def batches(self, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield the rows in the file's order; a row's number is its line (CSV) or its position from 1 (Parquet)."""
        ...

    def progress(self) -> float:
        """Return how much of the file has been read, 0 to 1."""
        ...


def unreadable(path: Path, message: str) -> Refused:
    """Make the refusal of a file that cannot be read."""
    return Refused(Code.INVALID, f"{path}: {message}.", argument="file")
