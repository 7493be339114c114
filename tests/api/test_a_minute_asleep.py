"""One who stops reading for a minute while ten thousand facts pass, by the clock: with everything as in production.

Two API processes follow the same ledger at the same time and have readers of the same kind; only one of them has a
sleeper, too. So whatever else this machine does shows on both, and what the sleeper costs the others is the difference.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from api.live.backpressure import ROOM_BYTES
from api.live.websocket_transport import HIGH_WATER
from domain.core import sequencing
from realtime.redis import connect as connect_redis
from realtime.tasks import end
from tests import facts
from tests.api import asking
from tests.api.asking import Api, Socket
from tests.api.sleeping import NOTED, Sleeper, answers
from workers.main import for_ever
from workers.queue import Queue
from workers.relay import Relay

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.xdist_group("slow readers")]

ROOT = Path(__file__).parents[2]
MANY, FEW, ASLEEP_S, ROUNDS, READERS = 10_000, 20, 60.0, 300, 2
MOST_KEPT = HIGH_WATER + ROOM_BYTES + 64 * 1024
MOST_GROWN = 48 * 2**20  # of which nearly all is what a process takes to get going
MOST_GROWN_BY_SLEEPER = 8 * 2**20
MOST_LATER_S = 2.0


@dataclass
class Weighed:
    """An API process, and what it said so far of its weight."""

    _said: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._said.read_text().split("\n")[0])

    def seen(self) -> list[dict[str, int]]:
        """Each of its looks at itself, in order."""
        lines = self._said.read_text().splitlines()[1:]
        return [json.loads(line) for line in lines if line.endswith("}")]


@asynccontextmanager
async def weighed(api: Api, said: Path) -> AsyncIterator[Weighed]:
    """A process of its own on the databases of `api`."""
    given = api.state.settings
    environment = os.environ | {
        "WAARBORG_DATA": str(given.data),
        "WAARBORG_DATABASE_URL": given.database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": given.system_database_url,
        "WAARBORG_REDIS_URL": given.redis_url,
    }
    with said.open("w") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - a server
            [sys.executable, "-m", "tests.api.weighed"], env=environment, stdout=out, cwd=ROOT
        )
    try:
        await facts.until(lambda: "\n" in said.read_text(), within_s=60)
        running = Weighed(said)
        await answers(running.port)
        yield running
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


class Readers:
    """Some who read all the time, at one process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.heard: list[list[int]] = []
        self.when: list[list[float]] = []

    async def begin(self, stack: AsyncExitStack, token: str, account: str) -> None:
        """Connect and subscribe; each hears in a task of its own."""
        for _ in range(READERS):
            connected = connect(
                f"ws://127.0.0.1:{self._port}/graphql",
                subprotocols=[Subprotocol("graphql-transport-ws")],
            )
            socket = Socket(await stack.enter_async_context(connected))
            await socket.init(token)
            await socket.subscribe("1", NOTED, account=account)
            numbers, instants = list[int](), list[float]()
            self.heard.append(numbers)
            self.when.append(instants)
            task = asyncio.create_task(self._hear(socket, numbers, instants))
            stack.push_async_callback(end, task)

    async def _hear(self, socket: Socket, numbers: list[int], instants: list[float]) -> None:
        now = asyncio.get_running_loop().time
        while True:
            message = json.loads(await socket.connection.recv())
            numbers.append(message["payload"]["data"]["accountEvents"]["body"]["n"])
            instants.append(now())

    def delays(self, said_at: list[float]) -> list[float]:
        """Seconds from before a fact's commit until each of them had it, sorted."""
        assert all(numbers == list(range(len(said_at))) for numbers in self.heard)
        return sorted(
            instant - said
            for instants in self.when
            for said, instant in zip(said_at, instants, strict=True)
        )


async def relay(stack: AsyncExitStack, api: Api) -> None:
    """Facts get their numbers and go into Redis, as in production."""
    given = api.state.settings
    async with api.make() as session:
        ledger = await sequencing.ledger_name(session)
    redis = connect_redis(given.redis_url)
    stack.push_async_callback(redis.aclose)
    queue = Queue(given.redis_url, ledger)
    stack.push_async_callback(queue.close)
    running = Relay(given.system_database_url, api.make, redis, queue, ledger)
    stack.push_async_callback(end, asyncio.create_task(for_ever("relay", running.run)))
    await facts.until(lambda: running.leads)


async def test_ten_thousand_facts_in_the_minute_that_somebody_sleeps(
    api: Api, tmp_path: Path
) -> None:
    office = await asking.office(api)
    whom = facts.Client(office.world.staff, office.world.account.id)
    said_at: list[float] = []
    now = asyncio.get_running_loop().time
    async with AsyncExitStack() as stack:
        await relay(stack, api)
        with_him = await stack.enter_async_context(weighed(api, tmp_path / "with"))
        without = await stack.enter_async_context(weighed(api, tmp_path / "without"))
        beside, elsewhere = Readers(with_him.port), Readers(without.port)
        for readers in (beside, elsewhere):
            await readers.begin(stack, office.client, office.account)
        sleeper = Sleeper(with_him.port, office.client, account=office.account)
        await sleeper.begin()
        await asyncio.sleep(1)  # without a cursor, it begins when it is there

        async def say(numbers: range) -> None:
            said_at.extend([now()] * len(numbers))
            await facts.note(api.make, whom, *numbers)

        await say(range(FEW))
        story, cursor = list[int](), ""
        while len(story) < FEW:
            cursor = _read(await sleeper.hear(), story) or cursor
        before = [each.seen()[-1]["resident"] for each in (with_him, without)]
        asleep_at, looks = now(), len(with_him.seen())
        for n in range(ROUNDS):
            first, last = (FEW + MANY * part // ROUNDS for part in (n, n + 1))
            await say(range(first, last))
            await asyncio.sleep(asleep_at + ASLEEP_S * (n + 1) / ROUNDS - now())
        slept_s = now() - asleep_at
        everybody = beside.heard + elsewhere.heard
        await facts.until(lambda: all(len(each) >= FEW + MANY for each in everybody))
        weights = with_him.seen()[looks:]
        grown, grown_without = (
            max(look["resident"] for look in each.seen()[looks:]) - was
            for each, was in zip((with_him, without), before, strict=True)
        )

        while (message := await sleeper.hear()) is not None:
            cursor = _read(message, story) or cursor
        reached = len(story)
        woken = Sleeper(with_him.port, office.client, account=office.account, after=cursor)
        await woken.begin()
        while len(story) < FEW + MANY:
            _read(await woken.hear(), story)
        for each in (sleeper, woken):
            each.close()
    late, late_without = beside.delays(said_at), elsewhere.delays(said_at)
    kept = max(look["kept"] for look in weights)
    sys.stdout.write(
        f"asleep for {slept_s:.1f} s while {MANY:,} facts passed: at most {kept / 1024:.0f} KiB kept for him, the"
        f" process grew by {grown / 2**20:.1f} MiB, by {grown_without / 2**20:.1f} without him; others had each fact"
        f" after {late[-1] * 1000:.0f} ms at most (p99 {_p99(late):.0f}), {late_without[-1] * 1000:.0f} ms (p99"
        f" {_p99(late_without):.0f}) without him; let go after {reached - FEW:,} facts, with {sleeper.code or 1006}\n"
    )
    assert slept_s >= ASLEEP_S
    assert weights[-1]["sockets"] == READERS  # he was let go
    assert sleeper.code in {
        None,
        1011,
        1012,
        1013,
    }  # clients take all of these, and a cut, for "come back"
    assert kept < MOST_KEPT
    assert grown < MOST_GROWN
    assert grown - grown_without < MOST_GROWN_BY_SLEEPER
    assert late[-1] < late_without[-1] + MOST_LATER_S
    assert FEW <= reached < FEW + MANY
    assert story == list(range(FEW + MANY))


def _read(message: Any, story: list[int]) -> str | None:
    """Note the number that an event tells; its cursor. Nothing of the notice that a feed ends, and of that it did."""
    if message["type"] != "next":
        return None
    event = message["payload"]["data"]["accountEvents"]
    if event["gap"] is not None:
        return None
    story.append(event["body"]["n"])
    return str(event["cursor"])


def _p99(delays: list[float]) -> float:
    """In milliseconds."""
    return 1000 * delays[len(delays) * 99 // 100]
