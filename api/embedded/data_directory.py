"""A data directory that is ready for servers, and how a server is run in it.

The login a server runs as often cannot walk to a data directory below a private one. So a server is started *inside*
its directory and told to look at `/proc/self/cwd`, which needs no walk.
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
    """A data directory that is ready for servers."""

    data: Path
    login: OsUser | None
    """None when the servers run as ourselves."""

    def directory(self, name: str) -> Path:
        """`DATA/name`, made when missing, closed to everybody but the login that serves from it."""
        path = self.data / name
        path.mkdir(mode=0o700, exist_ok=True)
        if self.login is not None and path.stat().st_uid != self.login.uid:
            os.chown(path, self.login.uid, self.login.gid)
        return path

    def sockets(self, name: str) -> Path:
        """Where the server `name` puts its socket: its own directory, or a short one when that path is too long."""
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
                    f"{short} belongs to somebody else: choose a shorter --data DIR."
                ) from None
        return short

    def run(self, command: list[str | Path], *, inside: Path) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end as the servers' login, standing in `inside`."""
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
        """Start a server that outlives us, holds `lock` as long as any of its processes lives, and writes to `log`.

        The shell in between makes it a child of init: it is never a zombie of ours, and Ctrl-C in our terminal
        does not reach it.
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
    """The process that wrote this file into the directory it stands in; None when that one is gone.

    The number alone proves nothing: after a kill it may by now belong to a stranger, whom nobody may signal.
    """
    import psutil

    try:
        number = int(written.read_text().split()[0])
        stands = psutil.Process(number).cwd()
    except (FileNotFoundError, IndexError, ValueError, psutil.Error):
        return None
    return number if Path(stands) == written.parent else None


def here(directory: Path) -> Path:
    """How a server that stands in `directory` names it, whether or not it could walk there."""
    return HERE if HERE.exists() else directory


def keep_small(log: Path, *, limit_bytes: int = 10_000_000) -> None:
    """Put a long log aside; one older one is kept."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_suffix(".old.log"))


def tail(log: Path, *, lines: int = 6) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def prepare(data: Path) -> DataDirectory:
    """Make `data` when missing and check that servers can live there. Raises `EmbeddedError`."""
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
    """Make the data directory with mode 0700, or close it to others when it is empty or has been ours before.

    A directory with somebody else's files in it keeps its mode: what we make inside is closed anyway.
    """
    private_files.make_missing(data)
    if (data / "users.lock").exists() or not any(data.iterdir()):
        private_files.close_to_others(data, private_files.DIRECTORY_MODE)


def demand_space(data: Path, *, need_mb: int) -> None:
    """Refuse before something is half written. Raises `DiskFullError`."""
    free_mb = shutil.disk_usage(data).free // 1_000_000
    if free_mb < need_mb:
        raise DiskFullError(
            f"The disk is full: {data} has {free_mb} MB free and needs {need_mb} MB. "
            "Free some space, or choose another --data DIR."
        )
