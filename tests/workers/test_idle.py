"""A worker and an API that nobody needs: they sleep until something is due or announced."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from api.process.serve import listen
from domain.core.db import Sessions
from domain.core.settings import Settings
from tests import build
from tests.journeys.watching import CHILD, HOME, Workers

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WINDOW_S = 8.0
WITHIN_S = 120.0  # what they load and compute at the beginning takes its time on a busy machine
MOST = {"worker": 0.05, "api": 0.03}
"""Shares of a core; polling took 0.15 to 0.22 and 0.02."""


def start_api(settings: Settings, listener: socket.socket, log: Path) -> subprocess.Popen[bytes]:
    """Start an API process on a socket, as `waarborg up` does."""
    told = {
        f"WAARBORG_{name.upper()}": str(getattr(settings, name))
        for name in ("database_url", "system_database_url", "redis_url", "data")
    }
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "api.process.child", "api", str(listener.fileno())],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            pass_fds=[listener.fileno()],
            cwd=HOME,
            env=os.environ | told,
        )


def cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def test_an_idle_worker_and_an_idle_api_use_next_to_no_cpu(
    make: Sessions, settings: Settings, tmp_path: Path
) -> None:
    await build.client(make)
    with ExitStack() as ends:
        workers = Workers(settings, CHILD)
        ends.callback(workers.kill)
        listener = ends.enter_context(listen("127.0.0.1", 0))
        api = start_api(settings, listener, tmp_path / "api.log")
        ends.callback(api.communicate)
        ends.callback(api.kill)
        watched = {
            "worker": psutil.Process(workers.start().pid),
            "api": psutil.Process(api.pid),
        }
        until, shares = time.monotonic() + WITHIN_S, {"worker": 1.0, "api": 1.0}
        while any(shares[name] > most for name, most in MOST.items()):
            assert time.monotonic() < until, shares
            began, before = time.monotonic(), {name: cpu_s(each) for name, each in watched.items()}
            await asyncio.sleep(WINDOW_S)
            took = time.monotonic() - began
            shares = {name: (cpu_s(each) - before[name]) / took for name, each in watched.items()}
