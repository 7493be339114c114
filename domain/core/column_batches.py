"""Columns of a CSV or Parquet file, read in batches."""

from collections.abc import Iterator
from csv import reader
from pathlib import Path
from typing import Any

from domain.core.errors import Code, Refused

Batch = dict[str, list[Any]]
"""Values by column."""


def column_batches(file: Path, columns: list[str] | None = None) -> Iterator[tuple[Batch, float]]:
    """Read columns in batches, each with the share of the file that is read after it; without names all of them.

    Refused when the file is neither, or lacks a column. Values of a CSV are texts.
    """
    import pyarrow as pa

    try:
        yield from _of_parquet(file, columns) if _is_parquet(file) else _of_csv(file, columns)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise _no(f"{file}: {error}") from error


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"PAR1"


def _of_parquet(file: Path, columns: list[str] | None) -> Iterator[tuple[Batch, float]]:
    from pyarrow import parquet

    with parquet.ParquetFile(file) as opened:
        columns = _chosen(file, columns, opened.schema_arrow.names)
        total, read = max(1, opened.metadata.num_rows), 0
        for batch in opened.iter_batches(columns=columns):
            read += batch.num_rows
            yield batch.to_pydict(), read / total


def _of_csv(file: Path, columns: list[str] | None) -> Iterator[tuple[Batch, float]]:
    import pyarrow as pa
    from pyarrow import csv

    with file.open(encoding="utf-8-sig") as opened:
        header = opened.readline()
    delimiter = max(",;\t", key=header.count)
    names = next(reader([header.strip()], delimiter=delimiter), [])
    columns = _chosen(file, columns, names)
    options = csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()),
    )
    size, read = max(1, file.stat().st_size), 0
    with csv.open_csv(
        file, parse_options=csv.ParseOptions(delimiter=delimiter), convert_options=options
    ) as batches:
        for batch in batches:
            read += batch.nbytes
            yield batch.to_pydict(), min(1.0, read / size)


def _chosen(file: Path, columns: list[str] | None, names: list[str]) -> list[str]:
    """Return the columns to read, each once; refuses missing ones and names those that there are."""
    if columns is None:
        return names
    if missing := [name for name in columns if name not in names]:
        raise _no(
            f"{file} has no column {', '.join(map(repr, missing))}; it has {', '.join(names)}."
        )
    return list(dict.fromkeys(columns))


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="file")
