"""A running `waarborg up` for tests: its process, its output, its address and its children."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


class Up:
    """A running `waarborg up` with what it said."""

    def __init__(self, data: Path, *, log: Path | None = None) -> None:
        self.data = data
        self.log = log or data.with_suffix(".log")
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
