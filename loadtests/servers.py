"""Servers of a run, started as an operator starts them, on a temporary directory."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

START_S = 180.0  # compiling the evaluator takes half a minute, once per release
STOP_S = 30.0
WAARBORG = (sys.executable, "-m", "api.cli")
HOME = Path(__file__).parents[1]


@contextmanager
def servers(data: Path) -> Iterator[str]:
    """Start an API and a worker and yield the API's address; their output goes to files in `data`."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    port = _free_port()
    words = {"api": ["--port", str(port)], "worker": []}
    running = [
        subprocess.Popen(
            [*WAARBORG, word, "--data", str(data.resolve()), *more],
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(data / f"{word}.log").open("w"),
        )
        for word, more in words.items()
    ]
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", running)
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(STOP_S)


def companies(data: Path, guards: int, count: int = 2) -> str:
    """Create companies; return each one's name, first key and tokens of guards as a line of JSON."""
    made = [
        subprocess.run(
            [
                *(*WAARBORG, "company", f"Load {n + 1}", "--guards", str(guards), "--json"),
                *("--data", str(data.resolve())),
            ],
            check=True,
            cwd=HOME,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        for n in range(count)
    ]
    return "".join(made)


def _wait(address: str, running: list["subprocess.Popen[bytes]"]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in running):
            raise SystemExit("the servers did not start; their logs say why")
        with suppress(httpx2.HTTPError):
            if httpx2.get(address, timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    raise SystemExit(f"{address} did not answer within {START_S:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
