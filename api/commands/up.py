"""`up`, `api`, `worker`: our processes, on addresses that answer, under one terminal."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from api import older_verdicts
from api.commands.environment import addresses, said, settings_of, surroundings
from api.embedded.data_directory import prepare
from api.embedded.locks import only_one
from api.embedded.revival import Revival
from api.process.child import FOR_PEOPLE
from api.process.serve import listen, reachable
from api.process.supervise import Child, supervise
from api.support import first_look, migrate
from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings
from domain.evaluator.kernels.machine_code import is_compiled


def up(asked: Settings, *, live: bool) -> None:
    """Servers, migrations, demo data when there is none, API, worker and simulated guards; until Ctrl-C."""
    _refuse_second(asked)
    with (
        listen(asked.host, asked.port) as listener,
        _only_up(asked),
        compiled() as wait_for_evaluator,
        addresses(asked) as settings,
    ):
        _bring_up_to_date(settings)
        _advise(settings)
        wait_for_evaluator()
        _seed(settings)
        children = [_child("worker", FOR_PEOPLE), _api(listener, "api", FOR_PEOPLE)]
        if live:
            children.append(_child("live", FOR_PEOPLE))
        # Stopped in this order: nobody asks any more, then nobody is answered, then what follows is finished.
        running = settings.model_copy(
            update={
                "demo": _is_for_show(asked, "demo"),
                "development": _is_for_show(asked, "development"),
            }
        )
        _run(asked, running, listener, list(reversed(children)))


def _bring_up_to_date(settings: Settings) -> None:
    """Migrate a database that does not stand at the newest revision."""
    if migrate.current(settings.owner_database_url) != migrate.heads():
        with said() as say:
            say("Bringing the tables up to date")
            migrate.upgrade(
                settings.owner_database_url, app_role=migrate.role_of(settings.database_url)
            )


def _seed(settings: Settings) -> None:
    """Enter the demo company into an empty database."""
    if first_look.is_empty(settings.system_database_url):
        from api.demo.seed import run as seed

        if seed(settings):
            _say("Seeded the demo companies")


@contextmanager
def _only_up(asked: Settings) -> Iterator[None]:
    """Refuse a second `up` on one data directory. Raises `Failure`, which names the process of the first."""
    data = prepare(asked.data).data
    with only_one(data, "up") as holder:
        if holder is not None:
            raise _runs_already(data, holder)
        yield


def _refuse_second(asked: Settings) -> None:
    """The same before the port is asked for, which the first `up` holds; makes no directory."""
    data = asked.data.expanduser().resolve()
    if (data / "up.lock").exists():
        with only_one(data, "up") as holder:
            if holder is not None:
                raise _runs_already(data, holder)


def _runs_already(data: Path, holder: int) -> CommandFailure:
    return CommandFailure(
        f"`waarborg up` runs on {data} already, as process {holder}: stop it first, or choose another "
        "directory: --data DIR, or make up DATA=elsewhere.",
        Exit.SERVERS,
    )


def api(data: Path | None, *, host: str | None, port: int | None, workers: int) -> None:
    """The API alone, in `workers` processes on one socket."""
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
    """The worker alone."""
    with compiled() as wait_for_evaluator, surroundings(data) as settings:
        _advise(settings)
        wait_for_evaluator()
        supervise(
            [_child("worker")],
            environment(settings),
            say=_say,
            look=Revival.of(settings_of(data), say=_say).look,
        )


@contextmanager
def compiled() -> Iterator[Callable[[], None]]:
    """Compile the evaluator beside everything else; the block gets a function that waits until it is done.

    Without this the first process to judge a clock would compile, and answer nobody, for half a minute.
    """
    if is_compiled():
        yield lambda: None
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "api.process.child", "evaluator"],
        stdin=subprocess.PIPE,
        process_group=0,
    )

    def wait() -> None:
        with said() as say:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                say("Compiling the evaluator (once a release, half a minute)")
                process.wait()

    try:
        yield wait
    finally:
        process.kill()  # a half compiled cache is none: numba writes it whole
        process.communicate()


def environment(settings: Settings) -> dict[str, str]:
    """Our environment plus the addresses found, for children that read their settings from it."""
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


def _is_for_show(asked: Settings, setting: str) -> bool:
    """Whether `demo` or `development` is on: as set, else only on a loopback address with embedded servers."""
    if setting in asked.model_fields_set:
        return bool(getattr(asked, setting))
    return not asked.database_url and asked.host in {"127.0.0.1", "::1", "localhost"}


def _child(name: str, *arguments: str, descriptors: Sequence[int] = ()) -> Child:
    kind = name.split(maxsplit=1)[0]
    return Child(name, [sys.executable, "-m", "api.process.child", kind, *arguments], descriptors)


def _api(listener: socket.socket, name: str = "api", *arguments: str) -> Child:
    descriptor = listener.fileno()
    return _child(name, str(descriptor), *arguments, descriptors=[descriptor])


def _run(
    asked: Settings, settings: Settings, listener: socket.socket, children: list[Child]
) -> None:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    running = settings.model_copy(update={"port": port})
    _say(f"Starting {', '.join(child.name for child in reversed(children))}")
    supervise(
        children,
        environment(running),
        say=_say,
        ready=_once_it_answers(host, port, address),
        look=Revival.of(asked, say=_say).look,
    )


def _once_it_answers(host: str, port: int, address: str) -> Callable[[], bool]:
    """Something to ask now and then: says where to look as soon as the API has answered a first request."""
    asked: socket.socket | None = None

    def look() -> bool:
        nonlocal asked
        try:
            if asked is None:
                asked = socket.create_connection((reachable(host), port), timeout=1)
                asked.sendall(
                    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                asked.settimeout(0)
            answered = bool(asked.recv(1))
        except BlockingIOError:
            return False
        except OSError:
            answered = False
        if asked is not None:
            asked.close()
            asked = None
        if answered:
            _say(f"Waarborg answers on {address} (GraphQL: {address}/graphql). Ctrl-C stops it.")
        return answered

    return look


def _advise(settings: Settings) -> None:
    """Say how verdicts of an older release are judged again, when there are any."""
    advice = older_verdicts.advice(settings.system_database_url)
    if advice is not None:
        _say(advice)


def _say(message: str) -> None:
    with suppress(OSError):  # the log may stand on the disk that is full
        print(message, file=sys.stderr, flush=True)
