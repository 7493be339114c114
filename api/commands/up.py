"""`up`, `api`, `worker`: start and supervise Waarborg's processes, with running servers."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api import older_verdicts
from api.commands.environment import addresses, progress_messages, settings_of, surroundings
from api.embedded import revive
from api.embedded.data_directory import prepare
from api.embedded.locks import only_one
from api.process.child import FOR_PEOPLE
from api.process.serve import listen, reachable
from api.process.supervise import Child, supervise
from api.support import migrate
from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings


def up(configured: Settings, *, live: bool) -> None:
    """Start the servers, the API, a worker and simulated guards, with migrations and demo data; run until Ctrl-C."""
    _refuse_second(configured)
    with (
        listen(configured.host, configured.port) as listener,
        _only_up(configured),
        compiled() as wait_for_evaluator,
        addresses(configured) as settings,
    ):
        migrate.upgrade(
            settings.owner_database_url, app_role=migrate.role_of(settings.database_url)
        )
        _advise(settings)
        wait_for_evaluator()
        from api.demo.seed import run as seed

        if seed(settings):
            _say("Seeded the demo companies")
        children = [_child("worker", FOR_PEOPLE), _api(listener, "api", FOR_PEOPLE)]
        if live:
            children.append(_child("live", FOR_PEOPLE))
        # The children are stopped in this order: simulated guards, then the API, then the worker with its jobs.
        child_settings = settings.model_copy(
            update={
                "demo": _is_enabled(configured, "demo"),
                "development": _is_enabled(configured, "development"),
            }
        )
        _run(configured, child_settings, listener, list(reversed(children)))


@contextmanager
def _only_up(configured: Settings) -> Iterator[None]:
    """Refuse a second `up` on one data directory. Raises `CommandFailure`, which names the process of the first."""
    data = prepare(configured.data).data
    with only_one(data, "up") as holder:
        if holder is not None:
            raise _runs_already(data, holder)
        yield


def _refuse_second(configured: Settings) -> None:
    """Refuse a second `up` before it tries the port that the first one uses; creates no directory."""
    data = configured.data.expanduser().resolve()
    if (data / "up.lock").exists():
        with only_one(data, "up") as holder:
            if holder is not None:
                raise _runs_already(data, holder)


def _runs_already(data: Path, holder: int) -> CommandFailure:
    return CommandFailure(
        f"`waarborg up` already runs on {data}, as process {holder}: stop it first, or choose another "
        "directory: --data DIR, or make up DATA=elsewhere.",
        Exit.SERVERS,
    )


def api(data: Path | None, *, host: str | None, port: int | None, workers: int) -> None:
    """Run the API only, in `workers` processes on one socket."""
    with (
        tempfile.TemporaryDirectory(prefix="waarborg-metrics-") as counters,
        compiled() as wait_for_evaluator,
        surroundings(data, host=host, port=port) as settings,
        listen(settings.host, settings.port) as listener,
    ):
        _advise(settings)
        wait_for_evaluator()
        if workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = (
                counters  # any process answers /metrics for all
            )
        children = [
            _api(listener, f"api {n + 1}" if workers > 1 else "api") for n in range(workers)
        ]
        _run(settings_of(data), settings, listener, children)


def worker(data: Path | None) -> None:
    """Run a worker only."""
    with compiled() as wait_for_evaluator, surroundings(data) as settings:
        _advise(settings)
        wait_for_evaluator()
        configured = settings_of(data)
        supervise(
            [_child("worker")],
            environment(settings),
            say=_say,
            look=lambda: revive(configured, say=_say),
        )


@contextmanager
def compiled() -> Iterator[Callable[[], None]]:
    """Compile the evaluator in the background; the block receives a function that waits for the end.

    Without this, the first process that evaluates a promise would compile for half a minute without answering.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "api.process.child", "evaluator"],
        stdin=subprocess.PIPE,
        process_group=0,
    )

    def wait() -> None:
        with progress_messages() as say:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                say("Compiling the evaluator (once a release, half a minute)")
                process.wait()

    try:
        yield wait
    finally:
        process.kill()  # safe at any time, because numba writes cache files atomically
        process.communicate()


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment with the resolved settings, for child processes."""
    return os.environ | {
        "WAARBORG_DATA": str(settings.data.resolve()),
        "WAARBORG_DATABASE_URL": settings.database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": settings.system_database_url,
        "WAARBORG_OWNER_DATABASE_URL": settings.owner_database_url,
        "WAARBORG_REDIS_URL": settings.redis_url,
        "WAARBORG_JOBS_REDIS_URL": settings.jobs_redis_url,
        "WAARBORG_DEMO": str(settings.demo),
        "WAARBORG_DEVELOPMENT": str(settings.development),
        "WAARBORG_HOST": settings.host,
        "WAARBORG_PORT": str(settings.port),
    }


def _is_enabled(configured: Settings, setting: str) -> bool:
    """Return whether `demo` or `development` is on: as set, else only on a loopback address with embedded servers."""
    if setting in configured.model_fields_set:
        return bool(getattr(configured, setting))
    return not configured.database_url and configured.host in {"127.0.0.1", "::1", "localhost"}


def _child(name: str, *arguments: str, descriptors: Sequence[int] = ()) -> Child:
    kind = name.split(maxsplit=1)[0]
    return Child(name, [sys.executable, "-m", "api.process.child", kind, *arguments], descriptors)


def _api(listener: socket.socket, name: str = "api", *arguments: str) -> Child:
    descriptor = listener.fileno()
    return _child(name, str(descriptor), *arguments, descriptors=[descriptor])


def _run(
    configured: Settings, settings: Settings, listener: socket.socket, children: list[Child]
) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    child_settings = settings.model_copy(update={"port": port})
    supervise(
        children,
        environment(child_settings),
        say=_say,
        ready=_ready_check(host, port, address),
        look=lambda: revive(configured, say=_say),
    )


def _ready_check(host: str, port: int, address: str) -> Callable[[], bool]:
    """Return a function to call repeatedly; it prints the address once the API has answered a first request."""
    configured: socket.socket | None = None

    def look() -> bool:
        nonlocal configured
        try:
            if configured is None:
                configured = socket.create_connection((reachable(host), port), timeout=1)
                configured.sendall(
                    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                configured.settimeout(0)
            answered = bool(configured.recv(1))
        except BlockingIOError:
            return False
        except OSError:
            answered = False
        if configured is not None:
            configured.close()
            configured = None
        if answered:
            _say(f"Waarborg answers on {address} (GraphQL: {address}/graphql). Ctrl-C stops it.")
        return answered

    return look


def _advise(settings: Settings) -> None:
    """Print how to evaluate verdicts of an older release again, if there are any."""
    advice = older_verdicts.advice(settings.system_database_url)
    if advice is not None:
        _say(advice)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
