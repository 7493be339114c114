"""One event to many subscribers: the API as it is served, against a stock Strawberry server, in turns.

`python -m tests.bench.hub`: each server is a process of its own on core 0, everything else (subscribers, Redis,
PostgreSQL) on core 1. Ours is the real one: sign-in, gate, the schema's `accountEvents`, the hub. Facts enter both
through the same Redis stream, packed as the relay packs them. "In flight" is how many events are on their way before
the next one waits for the oldest to have reached everybody.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
from redis import Redis

from api.embedded import Servers, servers
from api.identity import tokens
from api.support import migrate
from domain.access import Origin
from domain.core import sequencing
from domain.core.db import connect, sessions
from domain.core.ledger import shard_of
from domain.core.sequencing import SequencedEvent
from domain.core.settings import Settings
from schema.core import ids
from tests import build, facts
from tests.bench.crowd import Crowd, now
from tests.build import World

DOCUMENT = """subscription ($a: ID!, $k: [String!]) {
  accountEvents(accountId: $a, kinds: $k) { cursor kind at actor subjectId body } }"""
KIND = "incident.opened"
SERVE = (
    "from api.process import serve; from domain.core.settings import Settings;"
    "s = Settings(); serve.serve(s, serve.listen(s.host, s.port))"
)
SILENCE_S = 20.0  # with an event on its way to somebody: it is lost
_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode


@dataclass
class Place:
    """Where facts enter, and who may hear them."""

    redis: Redis
    stream: str
    world: World
    token: str
    seq: int
    environment: dict[str, str]

    def happen(self) -> int:
        """Ship one fact, as the relay does; its number."""
        self.seq += 1
        at = datetime.now(UTC)
        fact = SequencedEvent(
            self.seq, self.world.tenant.id, self.world.account.id, KIND, self.world.site.id, at, at, Origin.LIVE,
            f"user:{self.world.client_user.id}", {"n": self.seq, "priority": "high"},
        )  # fmt: skip
        # Longer than the relay keeps it: PostgreSQL, where a reader would find what was trimmed, has none of these.
        self.redis.xadd(
            self.stream, {"facts": _encode([fact])}, id=f"{self.seq}-0", maxlen=100_000, approximate=True
        )  # fmt: skip
        return self.seq


@dataclass
class Server:
    """A server process."""

    name: str
    process: psutil.Process
    port: int

    def cpu_s(self) -> float:
        """CPU seconds it has used."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def rss(self) -> int:
        """Bytes of memory."""
        return int(self.process.memory_info().rss)


@dataclass(frozen=True)
class Figures:
    """One measurement."""

    per_s: float
    cpu_us: float
    p99_ms: float
    all_ms: float
    kib: float
    size: int


def measure(
    server: Server, place: Place, count: int, in_flight: int, seconds: float, *, different: bool
) -> Figures:
    """Connect `count` subscribers, and let events happen for `seconds`."""
    before = server.rss()
    account = ids.write("Account", place.world.account.id)

    def variables(number: int) -> dict[str, Any]:
        return {"a": account, "k": [KIND, f"other.{number}"] if different else [KIND]}

    crowd = Crowd(server.port, count, place.token, DOCUMENT, variables)
    try:
        _settle(crowd, place)
        kib = (server.rss() - before) / 1024 / count
        return _run(server, place, crowd, in_flight, seconds, kib)
    finally:
        crowd.leave()
        time.sleep(0.5)


def _settle(crowd: Crowd, place: Place) -> None:
    """Let events happen until one has reached everybody: who was not listening yet does not hear it."""
    until = now() + 120
    while not crowd.wait_for(place.happen()):
        assert now() < until, "not everybody hears"


def _run(
    server: Server, place: Place, crowd: Crowd, in_flight: int, seconds: float, kib: float
) -> Figures:
    first, sent, began = place.seq + 1, list[float](), now()
    oldest, news_at = first, began
    reached: deque[int] = (
        deque()
    )  # how many have heard each event, from the oldest not heard by all
    late, whole = list[float](), list[float]()
    cpu = server.cpu_s()

    def note(_fd: int, news: range) -> None:
        nonlocal news_at
        at = news_at = now()
        for number in news:
            reached[number - oldest] += 1
            late.append(at - sent[number - first])

    while (more := now() - began < seconds or len(sent) < in_flight + 4) or reached:
        while more and len(reached) < in_flight:
            reached.append(0)
            sent.append(now())
            place.happen()
        crowd.hear(1, note)
        while reached and reached[0] == crowd.count:
            reached.popleft()
            whole.append(now() - sent[oldest - first])
            oldest += 1
        assert not reached or now() - news_at < SILENCE_S, (
            f"{server.name}: event {oldest} reached {reached[0]} of {crowd.count}, then silence"
        )
    took, used = now() - began, server.cpu_s() - cpu
    size = crowd.look(range(first, first + len(sent)))
    late.sort()
    whole.sort()
    return Figures(
        len(late) / took, used / len(late) * 1e6, late[int(len(late) * 0.99)] * 1000,
        whole[int(len(whole) * 0.99)] * 1000, kib, size,
    )  # fmt: skip


@contextmanager
def prepared() -> Iterator[Place]:
    """Servers with one company, and a Redis stream to feed."""
    with tempfile.TemporaryDirectory(prefix="waarborg-bench-") as directory:
        data = Path(directory)
        with servers(data, durable=False) as running:
            migrate.upgrade(running.owner_url)
            yield asyncio.run(_place(running, data))


async def _place(running: Servers, data: Path) -> Place:
    engine = connect(running.system_url)
    make = sessions(engine)
    world = await build.client(make)
    await facts.number_all(make)
    async with make() as session:
        name, head = await sequencing.ledger_name(session), await sequencing.last_seq(session)
    await engine.dispose()
    settings = Settings(data=data, redis_url=running.redis_url, database_url=running.database_url)
    token = tokens.load(settings).issue(
        world.client_user.id, at=datetime.now(UTC), lifetime=timedelta(hours=2)
    )
    stream = f"waarborg:{name}:{{{shard_of(world.tenant.id, world.account.id)}}}:facts"
    environment = {
        **os.environ,
        "WAARBORG_DATA": str(data),
        "WAARBORG_DATABASE_URL": running.database_url,
        "WAARBORG_SYSTEM_DATABASE_URL": running.system_url,
        "WAARBORG_REDIS_URL": running.redis_url,
        "WAARBORG_LOG_LEVEL": "ERROR",
        "BENCH_STREAM": stream,
    }
    return Place(Redis.from_url(running.redis_url), stream, world, token, head, environment)


@contextmanager
def served(name: str, command: list[str], place: Place) -> Iterator[Server]:
    """A server in a process of its own, on core 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**place.environment, "WAARBORG_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # the stock one says much when its clients leave
    )
    try:
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0) | {0})})
        until = now() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert now() < until, f"{name} does not start"
                assert process.poll() is None, f"{name} has ended"
                time.sleep(0.1)
        time.sleep(1)
        yield Server(name, psutil.Process(process.pid), port)
    finally:
        process.terminate()
        process.wait(20)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    with prepared() as place:
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) > 1:
            for each in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                each.cpu_affinity(cores[1:])
        with (
            served("ours", ["-c", SERVE], place) as ours,
            served("stock", ["-m", "tests.bench.stock"], place) as stock,
        ):
            for server in (ours, stock):  # what is loaded on first use is no connection's
                measure(server, place, 50, 1, 0.5, different=False)
            print_table(given.sizes, given.seconds, ours, stock, place)


def print_table(
    sizes: list[int], seconds: float, ours: Server, stock: Server, place: Place
) -> None:
    """One line a case, both sides and their ratio."""
    cases: list[tuple[str, int, int, bool]] = [
        (f"{count:,} subscribers, {n} in flight", count, n, False)
        for count in sizes
        for n in (1, 4)
    ]
    cases.append(("1,000 subscribers, all different", 1000, 1, True))
    say: Callable[[str], Any] = lambda line: print(line, flush=True)  # noqa: E731, T201 - what a run says
    say(
        f"{'':38} {'messages/s':>20} {'CPU µs/message':>18} {'p99 ms':>16} {'event to all, p99 ms':>22}"
        f" {'KiB/conn.':>14}   stock/ours: CPU, wall, p99"
    )
    for name, count, in_flight, different in cases:
        theirs = measure(stock, place, count, in_flight, seconds, different=different)
        own = measure(ours, place, count, in_flight, seconds, different=different)
        say(
            f"{name:38} {theirs.per_s:9,.0f} {own.per_s:10,.0f} {theirs.cpu_us:9.1f} {own.cpu_us:8.2f}"
            f" {theirs.p99_ms:8.0f} {own.p99_ms:7.1f} {theirs.all_ms:12.0f} {own.all_ms:9.1f}"
            f" {theirs.kib:7.1f} {own.kib:6.1f}   {theirs.cpu_us / own.cpu_us:5.1f}×"
            f" {own.per_s / theirs.per_s:5.1f}× 1/{theirs.p99_ms / own.p99_ms:.0f}"
            f"   ({theirs.size} and {own.size} bytes)"
        )


if __name__ == "__main__":
    main()
