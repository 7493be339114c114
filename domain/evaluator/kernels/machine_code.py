"""Where machine code of the kernels is kept, and whether all of it is there. Importing this imports no compiler."""

import hashlib
import os
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path


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


def is_compiled() -> bool:
    """Return whether every kernel was compiled for this machine, with this Python and this compiler."""
    return _mark().exists()


def note_compiled() -> None:
    """Note that every kernel is compiled; call it after they were called."""
    _mark().touch(mode=0o600)


def _mark() -> Path:
    """Return the file that says so; numba compiles again for another processor or version."""
    parts = (platform.python_version(), version("numba"), version("llvmlite"), _processor())
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Path(cache_directory()) / f"compiled-{digest[:16]}"


def _processor() -> str:
    """Return what is known about the processor and its features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = {
        line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))
    }
    return "\n".join(sorted(told))
