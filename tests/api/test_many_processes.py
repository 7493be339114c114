"""`waarborg api --workers 2`: two processes on one port, either of which may be killed."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.servers import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def answer(address: str, path: str) -> str:
    """What a page says; empty when nobody answers."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as page:
            told: bytes = page.read()
            return told.decode()
    except OSError:
        return ""


def test_two_processes_share_a_port_and_one_that_is_killed_comes_back(
    database_url: str, system_url: str, owner_url: str, redis_url: str, tmp_path: Path
) -> None:
    addresses = {
        "WAARBORG_DATABASE_URL": database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": system_url,
        "WAARBORG_OWNER_DATABASE_URL": owner_url,
        "WAARBORG_REDIS_URL": redis_url,
        "WAARBORG_DATA": str(tmp_path),
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "api", "--workers", "2", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env=os.environ | addresses,
        )

    def said(words: str) -> Callable[[], bool]:
        return lambda: words in log.read_text()

    def workers() -> set[int]:
        children = psutil.Process(running.pid).children()
        return {child.pid for child in children if child.cmdline()[-2:-1] == ["api"]}

    try:
        wait_until(said("answers on http"), "it answers", within_s=240)
        found = re.search(r"answers on (http://\S+)", log.read_text())
        assert found is not None
        address = found[1]
        before = workers()
        assert len(before) == 2
        psutil.Process(killed := before.pop()).kill()
        wait_until(said("was killed by SIGKILL"), "it is missed", within_s=30)
        wait_until(lambda: bool(answer(address, "/livez")), "the other answers", within_s=60)
        wait_until(lambda: len(workers() - {killed}) == 2, "there are two again", within_s=60)
        assert before < workers()
        wait_until(lambda: "waarborg_sockets" in answer(address, "/metrics"), "any tells for all")
    finally:
        running.terminate()
        running.wait(60)
