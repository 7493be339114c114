"""Read CSV files of any usual form in batches."""

import csv
import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from domain.core.spreadsheets import restore
from domain.imports.column_file import (
    BATCH,
    NOTE,
    REJECTED,
    Cell,
    Dialect,
    MalformedRow,
    RowBatch,
    unreadable,
)

LONGEST = 1 << 20  # characters of one line or field; a longer one means a broken file
_SEP = re.compile(r"\ufeff?sep=(.)\r?\n?", re.IGNORECASE)
_HEADER_LINES = 20  # maximum lines of a header with quoted line ends
_BACKTRACK = 1_000  # lines that a record may take before its opening quote counts as a mistake


class CsvSource:
    """CSV file of any usual form: delimiter, quoted line ends, a byte order mark, malformed lines.

    A first line `sep=;`, as Excel writes it, is skipped. A file of rejected rows is read as the original file: its two
    additional columns are ignored.
    """

    def __init__(self, path: Path, dialect: Dialect, own: Collection[str]) -> None:
        """Read the header line."""
        self._path, self._size = path, max(1, path.stat().st_size)
        encoding, delimiter, self._quote = dialect
        self._encoding = "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding
        self._raw: IO[bytes] | None = None
        self._at = 0
        csv.field_size_limit(LONGEST)
        try:
            with self._open() as file:
                line = file.readline(LONGEST)
                said = _SEP.fullmatch(line)
                self._skip = 1 if said is None else 2  # lines before the first row
                if said is not None:
                    delimiter, line = delimiter or said[1], file.readline(LONGEST)
                more = [file.readline(LONGEST) for _ in range(_HEADER_LINES)]
        except UnicodeError as error:
            raise unreadable(path, f"neither Parquet nor CSV in {encoding} ({error})") from error
        self._delimiter = delimiter or _likeliest(line)
        self.dialect = Dialect(encoding, self._delimiter, self._quote)
        try:
            self.header: list[str] = next(self._reader([line, *more]), [])
        except csv.Error as error:
            raise unreadable(path, f"the header line cannot be read ({error})") from error
        names = "".join(self.header)
        if _broken(names) or "\0" in names or not names.strip():
            raise unreadable(
                path, f"neither Parquet nor CSV in {encoding}: there is no header line"
            )
        self._is_rejects = _is_rejects(self.header, own)
        self._offset = len(REJECTED) if self._is_rejects else 0
        self.header = self.header[self._offset :]

    def _reader(self, lines: Iterable[str], *, strict: bool = False) -> Any:
        return csv.reader(lines, delimiter=self._delimiter, quotechar=self._quote, strict=strict)

    def _open(self) -> IO[str]:
        # Bytes that are not text become surrogates, so that one bad line costs one row and not the import.
        return self._path.open(encoding=self._encoding, errors="surrogateescape", newline="")

    def progress(self) -> float:
        """Return bytes read of the file's size."""
        return min(1.0, self._at / self._size)

    def batches(self, names: Sequence[str]) -> Iterator[RowBatch]:
        """Yield batches; all cells are text."""
        wanted = [self._offset + self.header.index(name) for name in names]
        numbers: list[int] = []
        rows: list[list[str]] = []
        torn: list[MalformedRow] = []
        width = self._offset + len(self.header)
        try:
            with self._open() as file:
                for number, row in self._records(file, width, torn):
                    if not any(cell.strip() for cell in row[self._offset :]):
                        if self._is_rejects and not row[1].startswith(NOTE):
                            torn.append(MalformedRow(number, row[1], ""))
                        continue  # an empty row of a spreadsheet, or a note about a row that was imported
                    numbers.append(number)
                    rows.append(row)
                    if len(rows) + len(torn) >= BATCH:
                        self._at = file.buffer.tell()  # type: ignore[attr-defined]
                        yield self._batch(numbers, rows, wanted, torn)
                        numbers, rows = [], []
                        torn.clear()
        except UnicodeError as error:
            at = numbers[-1] if numbers else self._skip
            raise unreadable(self._path, f"damaged after line {at} ({error})") from error
        self._at = self._size
        yield self._batch(numbers, rows, wanted, torn)

    @staticmethod
    def _batch(
        numbers: list[int], rows: list[list[str]], wanted: list[int], torn: list[MalformedRow]
    ) -> RowBatch:
        columns = list(zip(*rows, strict=True)) if rows else []
        cells: list[list[Cell]] = [[restore(cell) for cell in columns[i]] for i in wanted if rows]
        return RowBatch(numbers, cells or [() for _ in wanted], tuple(torn))

    def _records(
        self, file: IO[str], width: int, torn: list[MalformedRow]
    ) -> Iterator[tuple[int, list[str]]]:
        """Yield records of the right width with the line they begin on; everything else is added to `torn`.

        A quote that is never closed would take the rest of the file, or the rows up to the next quote: when a record of
        several lines is no row, only its first line is rejected and the others are read again.
        """
        lines = _Lines(file)
        for _ in range(self._skip - 1):
            next(lines)
        reader = self._reader(lines, strict=True)
        header = True
        while True:
            lines.taken.clear()
            try:
                row = next(reader)
            except StopIteration:
                return
            except (csv.Error, _TooLong) as error:
                torn.append(lines.give_back(str(error)))
                header = False
                continue
            if header or not row:
                header = False
                continue
            if len(row) != width:
                torn.append(lines.give_back(f"{len(row)} fields instead of {width}"))
            elif any(map(_broken, lines.taken)):
                torn.append(lines.give_back("bytes that are not text in the file's encoding"))
            else:
                yield lines.first, row


def _likeliest(line: str) -> str:
    counts = Counter(mark for mark in line if mark in ",;\t|")
    return counts.most_common(1)[0][0] if counts else ","


def _is_rejects(header: Sequence[str], own: Collection[str]) -> bool:
    """Return whether the first two columns are those of a file of rejected rows, and not the profile's own."""
    rest = {name.strip().lower() for name in header[2:]}
    return tuple(header[:2]) == REJECTED and all(
        name not in own or name in rest for name in REJECTED
    )


def _broken(text: str) -> bool:
    """Return whether the text holds bytes that were not text."""
    return not text.isascii() and any("\udc80" <= mark <= "\udcff" for mark in text)


class _TooLong(Exception):
    """A line longer than any valid one."""


class _Lines:
    """The lines of a file, some of which can be read again."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self._number = 0
        self.taken: list[str] = []

    @property
    def first(self) -> int:
        """Return the number of the line on which the current record begins."""
        return self._number - len(self.taken) + 1

    def give_back(self, reason: str) -> MalformedRow:
        """Reject the first line of the record, and read the others again."""
        torn = MalformedRow(self.first, reason, self.taken[0][:1_000] if self.taken else "")
        self._again.extendleft(reversed(self.taken[1:]))
        self._number -= len(self.taken) - 1
        return torn

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._file.readline(LONGEST)
        if not line:
            raise StopIteration
        self._number += 1
        self.taken.append(line)
        if len(line) >= LONGEST and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = self._file.readline(LONGEST)
            raise _TooLong(f"a line of more than {LONGEST:,} characters")
        if len(self.taken) > _BACKTRACK:
            raise _TooLong(f"a quote that is not closed within {_BACKTRACK:,} lines")
        return line
