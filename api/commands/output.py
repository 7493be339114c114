"""Output of commands: a file that is written atomically, or standard output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from domain.core import private_files


@contextmanager
def written(out: Path | None) -> Iterator[IO[bytes]]:
    """Open `out`, which appears only when it is complete, or standard output if it is None."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if out.exists() and not out.is_file():  # a pipe or a device cannot be replaced
        with private_files.create(out) as file:
            yield file
        return
    with private_files.replacing(out) as file:
        yield file
