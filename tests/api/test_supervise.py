"""Children are restarted when they die, stopped in order, and never outlive who started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PARENT = """
import os, sys
from api.process.supervise import Child, supervise
child = '''
import os, signal, sys, time
from pathlib import Path
from api.process.child import follow_parent
def end(*_):
    with Path(sys.argv[2]).open("a") as log: log.write(f"{sys.argv[1]} ended\\\\n")
    raise SystemExit
signal.signal(signal.SIGTERM, end)
follow_parent()
with Path(sys.argv[2]).open("a") as log: log.write(f"{sys.argv[1]} {os.getpid()}\\\\n")
while True: time.sleep(0.05)
'''
children = [Child(name, [sys.executable, "-c", child, name, sys.argv[1]]) for name in ("first", "second")]
supervise(children, os.environ, say=lambda message: print(message, flush=True))
"""


class Family:
    """A parent with two children that write down their process id at birth and their end."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(log)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            process_group=0,
        )

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def born(self) -> list[tuple[str, int]]:
        words = [line.split() for line in self.lines() if not line.endswith("ended")]
        return [(name, int(number)) for name, number in words]


def wait_for(holds: Callable[[], bool], *, within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def is_gone(process_id: int) -> bool:
    try:
        return bool(psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path / "log")
    wait_for(lambda: len(made.born()) == 2)
    yield made
    made.parent.kill()
    made.parent.communicate()


def test_ctrl_c_stops_the_children_one_after_the_other(family: Family) -> None:
    os.killpg(family.parent.pid, signal.SIGINT)  # as a terminal does: everybody in the group
    assert family.parent.wait(timeout=20) == 0
    assert family.lines()[2:] == ["first ended", "second ended"]


def test_a_child_that_dies_is_started_again_and_it_is_said(family: Family) -> None:
    os.kill(dict(family.born())["second"], signal.SIGKILL)
    wait_for(lambda: len(family.born()) == 3)
    family.parent.terminate()
    said, _ = family.parent.communicate(timeout=20)
    assert family.born()[2][0] == "second"
    assert "second was killed by SIGKILL; starting it again in 0.5 s" in said


def test_children_do_not_outlive_a_killed_parent(family: Family) -> None:
    family.parent.kill()
    wait_for(lambda: all(is_gone(number) for _, number in family.born()), within_s=5)
    assert sorted(family.lines()[2:]) == ["first ended", "second ended"]
