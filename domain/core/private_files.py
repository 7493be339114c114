"""Files and directories that only their owner can read: messages, archives, exports and rejected rows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO

DIRECTORY_MODE, FILE_MODE = 0o700, 0o600


def make_directory(path: Path) -> None:
    """Create a directory with mode 0700, missing parents included; restrict an existing one that we own."""
    make_missing(path)
    close_to_others(path, DIRECTORY_MODE)


def make_missing(path: Path) -> None:
    """Create a directory and its missing parents with mode 0700; leave existing ones unchanged."""
    missing = [each for each in path.parents if not each.exists()]
    for each in (*reversed(missing), path):
        each.mkdir(mode=DIRECTORY_MODE, exist_ok=True)


def create(path: Path) -> IO[bytes]:
    """Open a file for writing with mode 0600; truncate and restrict an existing one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    file = os.fdopen(descriptor, "wb")
    close_to_others(path, FILE_MODE)
    return file


@contextmanager
def replacing(
    path: Path, *, keep_first: bool = False, durable: bool = False
) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path`, whole, when the block ends without an error.

    With `keep_first` a file that is there already stays, also one that another process has just put there. With
    `durable` the bytes are on disk before that.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.{token_hex(4)}.half")
    try:
        with create(half) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if keep_first:
            with suppress(FileExistsError):
                path.hardlink_to(half)
        else:
            half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def close_to_others(path: Path, mode: int) -> None:
    """Remove the rights of group and others when we own the file; leave a special file (/dev/null) alone."""
    found = path.stat()
    ours = found.st_uid == os.geteuid() and (path.is_dir() or path.is_file())
    if ours and found.st_mode & 0o077:
        path.chmod(mode)
