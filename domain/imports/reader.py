"""Read files in batches: CSV and Parquet as columns, in memory that does not grow with the file."""

from collections.abc import Collection
from pathlib import Path

from domain.imports.column_file import ColumnFile, Dialect, unreadable
from domain.imports.csv_source import CsvSource
from domain.imports.parquet_source import ParquetSource


def open_source(
    path: Path, dialect: Dialect | None = None, *, own: Collection[str] = ()
) -> ColumnFile:
    """Open the file at `path`, recognized by its first bytes and not by its name; refused when it cannot be read.

    `own` are columns of the profile, even when they have the names of those that a file of rejected rows adds.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    if not start:
        raise unreadable(path, "the file is empty")
    dialect = dialect or Dialect()
    return ParquetSource(path, dialect) if start == b"PAR1" else CsvSource(path, dialect, own)
