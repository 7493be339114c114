"""Compilation of kernels: once per source text, cached on disk, without the GIL."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config

F = TypeVar("F", bound=Callable[..., object])


def cache_directory() -> str:
    """Return a directory named after the sources of all kernels, where this user can write.

    Numba's own cache looks at the file of the outermost function only, so after an edit in a
    function it calls, the old machine code would go on giving verdicts.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for home in _homes():
        directory = home / "kernels" / digest.hexdigest()[:16]
        if _is_writable(directory):
            return str(directory)
    return tempfile.mkdtemp(prefix="waarborg-kernels-")  # compiled again by every process


def _homes() -> Iterator[Path]:
    """Yield directories for machine code, the preferred one first."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
    yield Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "waarborg"
    yield Path(tempfile.gettempdir()) / f"waarborg-{os.getuid()}"


def _is_writable(directory: Path) -> bool:
    """Make the directory; return whether nobody but this user and root can write to it.

    What is read from it is run, and everybody may make a directory in /tmp before this user does.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        owners = {each.stat().st_uid for each in (directory, *directory.parents[:2])}
    except OSError:
        return False
    return owners <= {os.getuid(), 0} and os.access(directory, os.W_OK)


vars(config)["CACHE_DIR"] = cache_directory()


def kernel(function: F) -> F:
    """Decorator of kernels: compile on first call; safe in many threads, each with its own arrays."""
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def leaf(function: F) -> F:
    """Decorator of functions that kernels call in their innermost loop and that allocate nothing."""
    compiled: Any = numba.njit
    return cast("F", compiled(nogil=True, error_model="numpy", _nrt=False)(function))


def step(function: F) -> F:
    """Decorator of functions that only kernels call; they are cached inside them."""
    return cast("F", numba.njit(nogil=True, error_model="numpy")(function))
