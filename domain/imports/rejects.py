"""File of rejected rows: correct it and import it again, with or without its first two columns.

It has the format of the original file: delimiter, encoding, quotes. A cell that a spreadsheet would calculate has an
apostrophe before it, which is removed again when the file is read.
"""

import codecs
import csv
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from domain.core import private_files
from domain.core.spreadsheets import neutralize
from domain.imports.column_file import REJECTED, Cell, Dialect
from domain.imports.staged import Reject


class Rejects:
    """Writes `row, reason` and the columns that were read.

    A file from an earlier run is replaced or removed at the end of the import; a failed import leaves it unchanged.
    """

    def __init__(self, path: Path, columns: Sequence[str], dialect: Dialect) -> None:
        """Prepare the file; it is created with the first row."""
        self._path, self._columns, self._dialect = path, columns, dialect
        self._open_files = ExitStack()
        self._file: IO[str] | None = None
        self._writer: Any = None
        self.count = 0

    def __enter__(self) -> Self:
        """Return self; nothing is opened yet."""
        return self

    def add(self, rejects: Iterable[Reject]) -> None:
        """Write more rows. A malformed row, or one that was imported, has empty cells."""
        for reject in rejects:
            if self._file is None:
                self._open()
            cells = reject.cells or [None] * len(self._columns)
            self._writer.writerow([reject.number, *map(_cell, (reject.reason, *cells))])
            self.count += 1

    def _open(self) -> None:
        encoding, delimiter, quote = self._dialect
        raw = self._open_files.enter_context(private_files.replacing(self._path))
        self._file = self._open_files.enter_context(
            TextIOWrapper(raw, encoding=encoding, errors=_errors(encoding), newline="")
        )
        self._writer = csv.writer(self._file, delimiter=delimiter or ",", quotechar=quote)
        self._writer.writerow([*REJECTED, *self._columns])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Move the file to its path, or leave the earlier one unchanged."""
        self._open_files.__exit__(kind, error, trace)
        if kind is None and self._file is None:
            self._path.unlink(missing_ok=True)


def _cell(cell: Cell) -> str | None:
    return None if cell is None else neutralize(str(cell))


def _errors(encoding: str) -> str:
    """Return the error handler for bytes that were no text: written unchanged, where the encoding allows bytes."""
    return "backslashreplace" if encoding.lower().startswith(("utf-16", "utf-32")) else ESCAPE


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the bytes that were no text; escape characters that the encoding lacks."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


ESCAPE = "waarborg_rejects"
codecs.register_error(ESCAPE, _escape)
