"""Clients that stop reading: bounded memory, nobody else disturbed, let go in time, and nothing lost to them."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from api.endpoints import graphql_ws
from api.live.backpressure import ROOM_BYTES
from api.live.websocket_transport import HIGH_WATER
from tests import facts
from tests.api import asking
from tests.api.asking import Office, Server
from tests.api.sleeping import NOTED, Sleeper, answers

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("slow readers")]

MANY = 10_000


@pytest.mark.slow
async def test_ten_thousand_facts_pass_one_who_sleeps_and_none_is_lost_to_him(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_ws, "STALLED_S", 600.0)
    monkeypatch.setattr(graphql_ws, "SILENT_S", 600.0)
    office: Office = await asking.office(server.api)
    whom = facts.Client(office.world.staff, office.world.account.id)
    start = await facts.number_all(server.api.make)
    await facts.until(lambda: server.api.state.hub.position >= start.seq)
    sleepers = [Sleeper(server.port, office.client, account=office.account) for _ in range(5)]
    for each in sleepers:
        await each.begin()
    process, late = psutil.Process(), list[float]()
    async with server.socket(office.client) as lively:
        await lively.subscribe("1", NOTED, account=office.account)
        await facts.until(lambda: server.api.state.groups.followers == 6)
        before, heard = process.memory_info().rss, list[int]()
        for n in range(0, MANY, 500):
            await facts.note(server.api.make, whom, *range(n, n + 500))
            await facts.number_all(server.api.make)
            began = asyncio.get_running_loop().time()
            while len(heard) < n + 500:
                heard.append((await lively.next())["accountEvents"]["body"]["n"])
            late.append(asyncio.get_running_loop().time() - began)
        assert heard == list(range(MANY))
    grown = process.memory_info().rss - before
    wires = [guest._wire for guest in server.api.state.audience._connections]  # type: ignore[attr-defined]
    kept = [wire.transport.get_write_buffer_size() + wire._bytes for wire in wires]
    sys.stdout.write(
        f"{len(sleepers)} sleepers keep {max(kept):,} bytes at most; {grown / 2**20:.0f} MiB grown while {MANY:,} facts"
        f" passed; the lively one had each 500 of them after {max(late):.2f} s at most\n"
    )
    assert max(kept) < HIGH_WATER + ROOM_BYTES + 64 * 1024
    for each in sleepers:
        await _catch_up(each)
        each.close()


async def _catch_up(sleeper: Sleeper) -> None:
    """Wake up: hear what was kept, the notice, the end; then the rest, by cursor, on the same socket."""
    told, cursor = list[int](), None
    while (message := await sleeper.hear())["type"] == "next":
        event = message["payload"]["data"]["accountEvents"]
        cursor = event["cursor"]
        if event["gap"] is None:
            told.append(event["body"]["n"])
        else:
            assert (event["gap"], event["kind"]) == ("TOO_SLOW", "feed.gap")
    assert (message["type"], message["id"]) == ("complete", "1")
    assert 0 < len(told) < MANY
    await sleeper.subscribe("2", after=cursor)
    while len(told) < MANY:
        told.append((await sleeper.hear())["payload"]["data"]["accountEvents"]["body"]["n"])
    assert told == list(range(MANY))


async def test_one_who_sleeps_too_long_is_let_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphql_ws, "STALLED_S", 0.5)
    office = await asking.office(server.api)
    whom = facts.Client(office.world.staff, office.world.account.id)
    sleeper = Sleeper(server.port, office.client, account=office.account)
    await sleeper.begin()
    await facts.until(lambda: server.api.state.groups.followers == 1)
    for n in range(0, 20_000, 1_000):
        await facts.note(server.api.make, whom, *range(n, n + 1_000))
        await facts.number_all(server.api.make)
        if len(server.api.state.audience) == 0:
            break
    await facts.until(lambda: len(server.api.state.audience) == 0)
    assert (len(server.api.state.groups), server.api.state.hub.listeners) == (0, 0)
    sleeper.close()


SERVE = (
    "from api.process import serve; from domain.core.settings import Settings;"
    "s = Settings(); serve.serve(s, serve.listen(s.host, s.port))"
)


async def test_a_server_with_sleepers_and_streams_stops_within_five_seconds(
    server: Server, database_url: str, system_url: str, redis_url: str, tmp_path: Path
) -> None:
    office = await asking.office(server.api)
    whom = facts.Client(office.world.staff, office.world.account.id)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "WAARBORG_DATA": str(tmp_path), "WAARBORG_DATABASE_URL": database_url, "WAARBORG_PORT": str(port),
        "WAARBORG_SYSTEM_DATABASE_URL": system_url, "WAARBORG_REDIS_URL": redis_url,
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment)  # noqa: ASYNC220 - a server
    try:
        await answers(port)
        sleepers = [Sleeper(port, office.client, account=office.account) for _ in range(5)]
        for each in sleepers:
            await each.begin()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({"query": NOTED, "variables": {"account": office.account}})
        head = [
            "POST /graphql HTTP/1.1", "Host: x", f"Authorization: Bearer {office.client}",
            "Accept: text/event-stream", "Content-Type: application/json", f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        writer.write("\r\n".join(head).encode())
        assert b"200" in await reader.readline()
        for n in range(0, 4_000, 1_000):
            await facts.note(server.api.make, whom, *range(n, n + 1_000))
            await facts.number_all(server.api.make)
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, 20)
        took = asyncio.get_running_loop().time() - began
    finally:
        process.kill()
    for each in sleepers:
        each.close()
    writer.close()
    assert code in {0, -signal.SIGTERM}
    assert took < 5, took
