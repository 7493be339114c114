"""Prepare a data directory for servers, and run programs in it.

The login that a server runs as often cannot traverse the parents of the data directory. So a server is started with its
directory as working directory, and gets the path `/proc/self/cwd`, which needs no access to the parents.
"""

import errno
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from api.embedded.locks import open_lock
from api.embedded.os_user import (
    DiskFullError,
    EmbeddedError,
    OsUser,
    environment,
    explain,
    server_login,
)
from domain.core import private_files

# Linux allows 107 bytes for a Unix socket's path, macOS 103; the name inside the directory takes up to 20.
LONGEST_SOCKET_DIRECTORY = 80
HERE = Path("/proc/self/cwd")


@dataclass(frozen=True)
class DataDirectory:
    """Data directory that is ready for servers."""

    data: Path
    login: OsUser | None
    """None when the servers run as the current user."""

    def directory(self, name: str) -> Path:
        """Return `DATA/name`; create it when missing, accessible to the login of its server only."""
        path = self.data / name
        path.mkdir(mode=0o700, exist_ok=True)
        if self.login is not None and path.stat().st_uid != self.login.uid:
            os.chown(path, self.login.uid, self.login.gid)
        return path

    def sockets(self, name: str) -> Path:
        """Return the directory of a server's socket: its own, or a temporary one when that path is too long."""
        own = self.data / name
        if len(os.fsencode(own)) <= LONGEST_SOCKET_DIRECTORY and re.fullmatch(
            r"[\w./-]+", str(own)
        ):
            return own
        digest = hashlib.sha256(os.fsencode(own)).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"waarborg-{digest}"
        owner = os.geteuid() if self.login is None else self.login.uid
        try:
            short.mkdir(mode=0o700)
            os.chown(short, owner, -1)
        except FileExistsError:
            if short.lstat().st_uid != owner or short.is_symlink():
                raise EmbeddedError(
                    f"{short} belongs to another user: choose a shorter --data DIR."
                ) from None
        return short

    def run(self, command: list[str | Path], *, inside: Path) -> subprocess.CompletedProcess[str]:
        """Run a tool as the login of the servers, with the working directory `inside`, and wait until it ends."""
        return subprocess.run(
            command,
            cwd=inside,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            **({} if self.login is None else self.login.as_arguments()),
        )

    def launch(self, command: list[str | Path], *, inside: Path, lock: int, log: Path) -> None:
        """Start a server that outlives this process, holds `lock` while any of its processes runs, and logs to `log`.

        The shell in between makes it a child of init, so that it becomes no zombie of this process, and Ctrl-C in
        the terminal does not reach it.
        """
        keep_small(log)
        with log.open("ab") as out:
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                cwd=inside,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=[lock],
                start_new_session=True,
                env=environment(),
                **({} if self.login is None else self.login.as_arguments()),
            )


def process_id(written: Path) -> int | None:
    """Return the id in a server's pid file; None when the process with that id does not run in the file's directory.

    The id alone proves nothing: after a kill it may belong to an unrelated process, which must not get a signal.
    """
    import psutil

    try:
        number = int(written.read_text().split()[0])
        stands = psutil.Process(number).cwd()
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
    return number if Path(stands) == written.parent else None


def here(directory: Path) -> Path:
    """Return the path by which a server with this working directory reaches it, whatever the access to its parents."""
    return HERE if HERE.exists() else directory


def keep_small(log: Path, *, limit_bytes: int = 10_000_000) -> None:
    """Rename a log that is too long; keep one old log."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_suffix(".old.log"))


def tail(log: Path, *, lines: int = 6) -> str:
    """Return the last lines of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def prepare(data: Path) -> DataDirectory:
    """Create `data` when missing, and check that servers can use it. Raises `EmbeddedError`."""
    data = data.expanduser().resolve()
    try:
        _make_private(data)
        private_files.make_directory(data / "logs")
        for name in ("users.lock", "change.lock"):
            os.close(open_lock(data / name))
    except FileExistsError:
        raise EmbeddedError(
            f"{data} is a file: choose another directory with --data DIR."
        ) from None
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            who = pwd.getpwuid(os.geteuid()).pw_name
            raise EmbeddedError(
                f"{data} is not writable by {who}: choose another directory with --data DIR (or WAARBORG_DATA)."
            ) from None
        raise EmbeddedError(explain(f"{data} cannot be used: {error.strerror}.")) from None
    return DataDirectory(data, server_login(data / "postgres"))


def _make_private(data: Path) -> None:
    """Create the data directory with mode 0700; also restrict one that is empty or was a data directory before.

    A directory with other files in it keeps its mode: what Waarborg creates inside is private anyway.
    """
    private_files.make_missing(data)
    if (data / "users.lock").exists() or not any(data.iterdir()):
        private_files.close_to_others(data, private_files.DIRECTORY_MODE)


def demand_space(data: Path, *, need_mb: int) -> None:
    """Check the free space before anything is written. Raises `DiskFullError`."""
    free_mb = shutil.disk_usage(data).free // 1_000_000
    if free_mb < need_mb:
        raise DiskFullError(
            f"The disk is full: {data} has {free_mb} MB free and needs {need_mb} MB. "
            "Free some space, or choose another --data DIR."
        )
