"""The file of rows that could not be read: mend it, take the first two columns off, import it again."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from domain.imports.decoding import Reject


class Rejects:
    """Writes `row, reason` and the columns that were read; a file from an earlier run is replaced or removed."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Nothing is written until there is something to write."""
        self._path, self._columns = path, columns
        self._file: IO[str] | None = None
        self.count = 0

    def __enter__(self) -> Self:
        """Forget what an earlier run left."""
        self._path.unlink(missing_ok=True)
        return self

    def add(self, rejects: Iterable[Reject]) -> None:
        """Write some more."""
        for reject in rejects:
            if self._file is None:
                self._file = self._path.open(
                    "w", encoding="utf-8", errors="backslashreplace", newline=""
                )
                csv.writer(self._file).writerow(["row", "reason", *self._columns])
            csv.writer(self._file).writerow([reject.number, reject.reason, *reject.cells])
            self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Leave the file complete."""
        if self._file is not None:
            self._file.close()
