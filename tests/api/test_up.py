"""`waarborg up`: one word, one terminal, everything runs; what dies comes back, and Ctrl-C leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
# Made from nothing once, by one worker.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]


class Up:
    """A running `waarborg up` with what it said."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data.with_suffix(".log")
        environment = {name: value for name, value in os.environ.items() if "WAARBORG" not in name}
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "api.cli", "up", "--no-live", "--port", "0"),
                    *("--data", str(data)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=environment,
                process_group=0,
            )
        # The first run of a release compiles the evaluator and plays four weeks of a company.
        wait_for(lambda: "answers on http" in self.said(), within_s=300, why=self.said)
        found = re.search(r"answers on (http://\S+)", self.said())
        assert found is not None
        self.address = found[1]

    def said(self) -> str:
        assert self.process.poll() is None, self.log.read_text()
        return self.log.read_text()

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def children(self) -> dict[str, psutil.Process]:
        """Our processes by what they do."""
        alive = [c for c in psutil.Process(self.process.pid).children() if not is_gone(c)]
        return {
            words[3]: child for child in alive if "api.process.child" in (words := command(child))
        }

    def server(self, name: str, file: str) -> psutil.Process:
        return psutil.Process(int((self.data / name / file).read_text().split()[0]))


def wait_for(
    holds: Callable[[], bool], *, within_s: float = 60, why: Callable[[], str] = str
) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, f"it did not happen in time: {why()}"
        time.sleep(0.05)


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def command(process: psutil.Process) -> list[str]:
    """Its words; none when it just ended."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


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
