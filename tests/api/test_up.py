"""`waarborg up`: one word, one terminal, everything runs; what dies comes back, and Ctrl-C leaves nothing behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.api.up_process import Up, is_gone, wait_for

# Made from nothing once, by one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that the tests of this module use one after the other."""
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    running = Up(data)
    yield running
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(60)


@pytest.mark.slow
def test_what_dies_comes_back(up: Up) -> None:
    wait_for(lambda: up.answers("/readyz"), why=up.said)
    before = up.children()
    for child in before.values():
        child.kill()
    wait_for(lambda: up.children().keys() == before.keys() and up.answers("/readyz"), why=up.said)
    assert not set(up.children().values()) & set(before.values())
    assert "api was killed by SIGKILL; starting it again in 0.5 s" in up.said()
    assert "worker was killed by SIGKILL; starting it again in 0.5 s" in up.said()
    servers = [up.server("postgres", "postmaster.pid"), up.server("redis", "redis.pid")]
    for server in servers:
        server.kill()
    wait_for(lambda: all(map(is_gone, servers)))
    wait_for(lambda: up.answers("/readyz"), why=up.said)


@pytest.mark.slow
@pytest.mark.parametrize(
    "endings", [(signal.SIGKILL, signal.SIGKILL), (signal.SIGQUIT, signal.SIGTERM)]
)
def test_servers_that_end_come_back_and_it_is_said(
    up: Up, endings: tuple[signal.Signals, signal.Signals]
) -> None:
    wait_for(lambda: up.answers("/readyz"), why=up.said)
    children = up.children()
    servers = [up.server("postgres", "postmaster.pid"), up.server("redis", "redis.pid")]
    for server, ending in zip(servers, endings, strict=True):
        server.send_signal(ending)
    for name in ("PostgreSQL", "Redis"):
        wait_for(lambda name=name: f"{name} answers again" in up.said(), why=up.said)  # type: ignore[misc]
        assert up.said().count(f"{name} has ended; starting it again") == 1
    assert all(map(is_gone, servers))
    wait_for(lambda: up.answers("/readyz"), within_s=15, why=up.said)
    assert up.children() == children


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind_and_the_data_is_there_again(up: Up) -> None:
    everything = [
        *psutil.Process(up.process.pid).children(recursive=True),
        up.server("postgres", "postmaster.pid"),
        up.server("redis", "redis.pid"),
    ]
    os.killpg(up.process.pid, signal.SIGINT)
    assert up.process.wait(60) == 0
    assert [process for process in everything if not is_gone(process)] == []
    again = Up(up.data)
    assert "Seeded" not in again.said()
    again.process.terminate()
    assert again.process.wait(60) == 0


@pytest.mark.slow
def test_killing_it_takes_its_processes_along_and_a_new_one_takes_over(up: Up) -> None:
    children = list(up.children().values())
    server = up.server("postgres", "postmaster.pid")
    assert len(children) == 2
    up.process.kill()
    up.process.wait()
    wait_for(lambda: all(map(is_gone, children)), within_s=20)
    again = Up(up.data)
    assert up.data == again.data
    assert again.server("postgres", "postmaster.pid") == server
    assert again.answers("/livez")
    again.process.terminate()
    assert again.process.wait(60) == 0
    assert is_gone(server)
