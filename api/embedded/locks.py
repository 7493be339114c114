"""File locks of a data directory; the kernel releases them however a process ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock file, and create it when missing. Raises `OSError` when it is not writable."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def grab(path: Path) -> int | None:
    """Lock `path` exclusively and return its descriptor; None when another process holds a lock on it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Return whether a process holds a lock on `path`."""
    descriptor = grab(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def released(path: Path, *, within_s: float) -> bool:
    """Wait until no process holds a lock on `path`; return False when one still does after `within_s` seconds."""
    until = time.monotonic() + within_s
    while is_held(path):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def only_one(data: Path, name: str) -> Iterator[int | None]:
    """Hold `data/name.lock` with the own process id in it; yield None, or the id of the process that holds it."""
    path = data / f"{name}.lock"
    descriptor = grab(path)
    if descriptor is None:
        written = path.read_text().strip()
        yield int(written) if written.isdigit() else 0
        return
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield None
    finally:
        os.close(descriptor)


@contextmanager
def changing(data: Path) -> Iterator[None]:
    """Hold the exclusive right to start and stop servers of `data`; wait for another process that has it."""
    descriptor = open_lock(data / "change.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def joined(data: Path, *, first: Callable[[], None], last: Callable[[], None]) -> Iterator[None]:
    """Register as a user of `data` while the block runs: call `first()` before, and `last()` when no user is left."""
    user = open_lock(data / "users.lock")
    try:
        with changing(data):
            fcntl.flock(user, fcntl.LOCK_SH)
            try:
                first()
            except (
                BaseException
            ):  # Ctrl-C too: when one server fails to start, the other one is stopped
                _leave(user, last)
                raise
        try:
            yield
        finally:
            with changing(data):
                _leave(user, last)
    finally:
        os.close(user)


def _leave(user: int, last: Callable[[], None]) -> None:
    """Call `last` when no other process holds the users' lock; new users wait for the change lock meanwhile."""
    try:
        fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    last()
