"""A disk that is full for real: nothing acknowledged is lost, and `up` starts PostgreSQL again when there is space."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import psutil
import pytest

from api.embedded.data_directory import prepare
from tests.api.up_process import Up, is_gone, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("up")]

OPEN = """
mutation ($input: OpenIncidentInput!) {
  openIncident(input: $input) { __typename ... on Incident { id } ... on Refusal { message } }
}
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 320 MB in memory. PostgreSQL needs 200 MB to make a cluster."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system to fill")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=320m,mode=0755", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def up(small_disk: Path) -> Iterator[Up]:
    """A running `waarborg up` whose data directory lies on the small disk, and whose output does not."""
    running = Up(small_disk / "data", log=small_disk.with_suffix(".log"))
    yield running
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(60)


def fill(disk: Path) -> Path:
    """Write a file that takes all the space that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return filler


def ready(up: Up) -> tuple[int, dict[str, Any]]:
    """Status and report of `/readyz`."""
    try:
        with urllib.request.urlopen(f"{up.address}/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def is_ready(up: Up) -> bool:
    return ready(up)[0] == 200


def incident(site: str, summary: str) -> dict[str, str]:
    """What `openIncident` takes."""
    return {
        "siteId": site,
        "priority": "HIGH",
        "summary": summary,
        "source": "CLIENT",
        "reporter": "Client by telephone",
    }


class Dispatcher:
    """A person of the demo company who opens and reads incidents."""

    def __init__(self, up: Up) -> None:
        with urllib.request.urlopen(f"{up.address}/demo/tokens", timeout=10) as answer:
            people = json.load(answer)
        self.address = f"{up.address}/graphql"
        self.token = next(each["token"] for each in people if each["role"] == "dispatcher")

    def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """What the API answers, with whatever status."""
        request = urllib.request.Request(
            self.address,
            json.dumps({"query": query, "variables": variables}).encode(),
            {"authorization": f"Bearer {self.token}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer
        return dict(answer["data"])

    def open(self, site: str, summary: str) -> str:
        """Open an incident; its id."""
        opened = self.ask(OPEN, input=incident(site, summary))["openIncident"]
        assert opened["__typename"] == "Incident", opened
        return str(opened["id"])

    def summary(self, incident: str) -> str:
        query = "query ($id: ID!) { incident(id: $id) { summary } }"
        return str(self.ask(query, id=incident)["incident"]["summary"])


async def write_until_postgres_ends(up: Up) -> Path:
    """Fill the disk, then write to the log of PostgreSQL until it has no space; returns the file that fills the disk.

    The connection is made before: on a full disk PostgreSQL takes no new one.
    """
    sockets = {"host": str(prepare(up.data).sockets("postgres"))}  # elsewhere for a long path
    postgres = await asyncpg.connect(f"postgresql://waarborg_owner@/waarborg?{urlencode(sockets)}")
    filler = fill(up.data.parent)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await postgres.execute(
            "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))"
            " FROM generate_series(1, 400)"
        )
    postgres.terminate()
    return filler


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_is_over_when_there_is_space(up: Up) -> None:
    wait_for(lambda: is_ready(up), why=up.said)
    dispatcher = Dispatcher(up)
    sites = dispatcher.ask("{ accounts(first: 1) { nodes { sites { id } } } }")
    site = sites["accounts"]["nodes"][0]["sites"][0]["id"]
    before = dispatcher.open(site, "Opened before the disk was full")

    # PostgreSQL refuses to write and lives.
    filler = fill(up.data.parent)
    wait_for(lambda: not is_ready(up), within_s=30, why=up.said)
    assert "no write can be made" in ready(up)[1]["parts"]["postgres"]["why"]
    filler.unlink()
    wait_for(lambda: is_ready(up), within_s=30, why=up.said)
    between = dispatcher.open(site, "Opened between")

    # PostgreSQL ends, because it cannot write its log.
    server = up.server("postgres", "postmaster.pid")
    filler = asyncio.run(write_until_postgres_ends(up))
    wait_for(lambda: is_gone(server), why=up.said)
    waits = "PostgreSQL has ended and waits for space. The disk is full"
    wait_for(lambda: up.said().count(waits) >= 2, why=up.said)
    status, report = ready(up)
    assert (status, report["status"]) == (503, "not ready")
    assert report["parts"]["postgres"]["why"]
    refused = dispatcher.answer(OPEN, input=incident(site, "Opened while the disk is full"))
    assert refused["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    filler.unlink()
    wait_for(lambda: is_ready(up), within_s=30, why=up.said)
    assert "PostgreSQL has ended; starting it again" in up.said()
    assert "PostgreSQL answers again" in up.said()
    assert dispatcher.summary(before) == "Opened before the disk was full"
    assert dispatcher.summary(between) == "Opened between"
    after = dispatcher.open(site, "Opened after")
    assert dispatcher.summary(after) == "Opened after"

    # Ctrl-C ends everything while the database is away, too.
    everything = [
        *psutil.Process(up.process.pid).children(recursive=True),
        up.server("redis", "redis.pid"),
    ]
    server = up.server("postgres", "postmaster.pid")
    asyncio.run(write_until_postgres_ends(up))
    wait_for(lambda: is_gone(server), why=up.said)
    os.killpg(up.process.pid, signal.SIGINT)
    assert up.process.wait(60) == 0
    assert [process for process in everything if not is_gone(process)] == []
