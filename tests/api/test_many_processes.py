"""`waarborg api --workers 2`: two processes on one port, either of which may be killed."""

import http.client
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.servers import wait_until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UVICORNS_OWN_S = 5  # after which it hangs up, unless told otherwise


def answer(address: str, path: str) -> str:
    """What a page says; empty when nobody answers."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as page:
            told: bytes = page.read()
            return told.decode()
    except OSError:
        return ""


def answers_again_on_the_same_connection(address: str, *, after_s: float) -> None:
    """What balances load keeps connections for a minute; one that is closed at its end costs somebody a request."""
    kept = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    kept.request("GET", "/livez")
    assert kept.getresponse().read()
    sock = kept.sock
    time.sleep(after_s)
    kept.request("GET", "/livez")
    assert kept.getresponse().read()
    assert kept.sock is sock
    kept.close()


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
        answers_again_on_the_same_connection(address, after_s=UVICORNS_OWN_S + 1)
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
