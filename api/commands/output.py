"""Output of a command: a file, written completely or not at all, or standard output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from domain.core import private_files


@contextmanager
def written(out: Path | None) -> Iterator[IO[bytes]]:
    """Something to write to: `out`, which is there only when all of it is; without one standard output."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if out.exists() and not out.is_file():  # a pipe or a device takes what comes
        with private_files.create(out) as file:
            yield file
        return
    with private_files.replacing(out) as file:
        yield file
