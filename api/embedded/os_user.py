"""The login that embedded servers run as, and binaries that it can execute.

PostgreSQL refuses to run as root. Started by root, both servers run as an ordinary login: the owner of an existing
cluster, else `waarborg`, `postgres` or `nobody`, whichever exists first. That login usually cannot execute a virtual
environment below a private directory (`/root`, `mktemp -d`), so unreachable binaries are copied once (45 MB) to
`/var/lib/waarborg`. No permissions are widened and no login is created.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHELTER = Path("/var/lib/waarborg")


class EmbeddedError(Exception):
    """An embedded server cannot be used; the text gives the reason and a remedy."""


class DiskFullError(EmbeddedError):
    """The disk of the data directory has too little space for an embedded server."""


@dataclass(frozen=True)
class OsUser:
    """Login of the operating system that the servers run as, when it is not the current one."""

    name: str
    uid: int
    gid: int

    def as_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments with which `subprocess` runs a program as this login."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def environment() -> dict[str, str]:
    """Return the environment of a server: the program path, but not the locale, PG* settings or secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def explain(message: str, log_tail: str = "") -> str:
    """Return an error text with a remedy for the common reasons."""
    if "No space left" in message or "No space left" in log_tail:
        return f"{message} The disk is full: free some space, or choose another --data DIR.\n{log_tail}".strip()
    return f"{message}\n{log_tail}".strip()


def server_login(cluster: Path) -> OsUser | None:
    """Return the login to start servers as; None unless this process runs as root."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and cluster.stat().st_uid != 0:
        owner = cluster.stat()
        try:
            return OsUser(pwd.getpwuid(owner.st_uid).pw_name, owner.st_uid, owner.st_gid)
        except KeyError:
            raise EmbeddedError(
                f"{cluster} belongs to user id {owner.st_uid}, which has no name on this machine: "
                f"chown -R it to an ordinary login, or choose another --data DIR."
            ) from None
    for name in ("waarborg", "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is no login waarborg, postgres or nobody to run it: "
        "add one (useradd --system waarborg), or run waarborg as an ordinary user."
    )


def package_directory(distribution: str) -> Path | None:
    """Return the directory of an installed package without importing it; None when it is not installed."""
    spec = importlib.util.find_spec(distribution)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def reachable(login: OsUser | None, package: str, *siblings: str, probe: str) -> Path | None:
    """Return a directory of `package` that the login of the servers can use; None when it is not installed.

    `probe` is a program inside that must run with `--version`; `siblings` are directories beside it that it loads from.
    """
    source = package_directory(package)
    if source is None or login is None or _runs(source / probe, login):
        return source
    version = importlib.metadata.version(package)
    shelter = SHELTER / f"{package}-{version}"
    if not shelter.exists():
        _copy(source, siblings, shelter)
    if not _runs(shelter / package / probe, login):
        raise EmbeddedError(
            f"{login.name} can execute neither {source / probe} nor the copy in {shelter}: "
            "run waarborg as an ordinary user, or give WAARBORG_DATABASE_URL and WAARBORG_REDIS_URL."
        )
    return shelter / package


def _runs(program: Path, login: OsUser) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"],
            check=False,
            cwd="/",
            capture_output=True,
            env=environment(),
            **login.as_arguments(),
        )
    except (PermissionError, FileNotFoundError):
        return False
    return done.returncode == 0


def _copy(source: Path, siblings: tuple[str, ...], shelter: Path) -> None:
    """Copy a package to a directory that every login can read, completely or not at all."""
    half = shelter.with_name(f"{shelter.name}.{os.getpid()}")
    try:
        SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
        SHELTER.chmod(0o755)
        for tree in (source, *(source.parent / sibling for sibling in siblings)):
            if tree.exists():
                shutil.copytree(
                    tree, half / tree.name, ignore=shutil.ignore_patterns("__pycache__", "include")
                )
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode
                    | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444)
                )
        try:
            half.rename(shelter)
        except OSError:
            if not shelter.exists():  # another process made the same copy meanwhile
                raise
    except OSError as error:
        raise EmbeddedError(
            explain(f"{source} cannot be copied to {shelter}: {error.strerror}.")
        ) from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
