"""Who uses a data directory: shared file locks, which the kernel drops however a process ends."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """A descriptor of the file, made when missing. Raises `OSError` where we may not write."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def grab(path: Path) -> int | None:
    """A descriptor that holds `path` exclusively, or None when somebody else holds it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(path: Path) -> bool:
    """Whether any living process holds `path`."""
    descriptor = grab(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def released(path: Path, *, within_s: float) -> bool:
    """Wait until nobody holds `path`; False when somebody still does after `within_s` seconds."""
    until = time.monotonic() + within_s
    while is_held(path):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def only_one(data: Path, name: str) -> Iterator[int | None]:
    """Hold `data/name.lock` and write our process id into it; gives the id of the process that holds it already."""
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
    """Be the only one who starts or stops servers of `data`; waits for another."""
    descriptor = open_lock(data / "change.lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def joined(data: Path, *, first: Callable[[], None], last: Callable[[], None]) -> Iterator[None]:
    """Be one of the users of `data`: `first()` on the way in (it finds or starts), `last()` when nobody is left."""
    user = open_lock(data / "users.lock")
    try:
        with changing(data):
            fcntl.flock(user, fcntl.LOCK_SH)
            try:
                first()
            except (
                BaseException
            ):  # Ctrl-C too: a server that did start must not outlive the other's failure
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
    """Call `last` when nobody else holds the users' lock; new users wait for the change lock meanwhile."""
    try:
        fcntl.flock(user, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    last()
