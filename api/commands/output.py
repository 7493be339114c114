"""What a command writes: a file, whole or not at all, or standard output."""

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
    half = out.with_name(f".{out.name}.half")
    try:
        with private_files.create(half) as file:
            yield file
        half.replace(out)
    finally:
        half.unlink(missing_ok=True)
