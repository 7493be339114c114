"""Read Parquet files in batches."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.imports.column_file import BATCH, Cell, Dialect, RowBatch, unreadable


class ParquetSource:
    """Parquet file whose row groups are decoded in parts, so that one huge group costs no more than many small ones."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        """Read the footer."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(path, f"not a readable Parquet file ({error})") from error
        self._path, self.dialect = path, dialect
        self.header: list[str] = list(self._file.schema_arrow.names)
        if len(set(self.header)) < len(self.header):
            raise unreadable(path, "two columns have the same name")
        self._rows, self._read = self._file.metadata.num_rows, 0

    def progress(self) -> float:
        """Return rows read of rows counted in the footer."""
        return self._read / self._rows if self._rows else 1.0

    def batches(self, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield batches: times as datetimes, everything else as text."""
        import pyarrow as pa

        try:
            for piece in self._file.iter_batches(BATCH, columns=list(names), use_threads=False):
                first, self._read = self._read + 1, self._read + piece.num_rows
                columns = [_cells(piece.column(name)) for name in names]
                yield RowBatch(range(first, first + piece.num_rows), columns)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self._path, f"damaged after row {self._read} ({error})") from error


def _cells(column: Any) -> list[Cell]:
    """Convert one Arrow column to texts and times. `to_pylist` of timestamps takes twenty times as long."""
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = getattr(kind, "tz", None)
        plain = column.cast(pa.timestamp("us", tz=zone), safe=False)
        days = np.asarray(plain.cast(pa.int64()).fill_null(np.iinfo(np.int64).min))
        cells: list[Cell] = days.view("datetime64[us]").tolist()
        return [_in_utc(cell) for cell in cells] if zone else cells
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return list(column.to_pylist())
    try:
        return list(column.cast(pa.string()).to_pylist())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return [None if cell is None else str(cell) for cell in column.to_pylist()]


def _in_utc(cell: Cell) -> Cell:
    return cell.replace(tzinfo=UTC) if isinstance(cell, datetime) else cell
