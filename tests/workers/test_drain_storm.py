"""A large backlog while Redis is slow, wiped and away and a worker is killed: all is done, once, in order, at pace.

`WAARBORG_DRAIN_ROWS=10000 WAARBORG_DRAIN_AWAY_S=60` runs it at full size.
"""

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from domain import incidents, numbering
from domain.db import Sessions, transaction
from domain.ledger import Entry
from domain.messages import Message
from domain.outbox import Outbox, OutboxState
from domain.settings import Settings
from tests import build, servers
from tests.journeys.watching import Workers
from tests.proxy import Slow
from workers.queue import ROOM

pytestmark = pytest.mark.anyio

ROWS = int(os.environ.get("WAARBORG_DRAIN_ROWS", "7000"))
ALONE = "WAARBORG_DRAIN_ROWS" in os.environ  # without other tests beside it, rates can be compared
AWAY_S = float(os.environ.get("WAARBORG_DRAIN_AWAY_S", "5"))
NEWS = 8  # updates of an incident: each fact has two consequences, and a letter
PHASE_S = 5.0
RECOVERY_S = 60.0  # within which a new worker process has started, whatever else runs


@dataclass
class Meter:
    """Counts rows that are done, and entries in the queue, several times a second."""

    make: Sessions
    redis: Redis
    key: str
    done: list[tuple[float, int]] = field(default_factory=list)
    most: int = 0
    entries: Counter[bytes] = field(default_factory=Counter)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            async with self.make() as session:
                count = await session.scalar(
                    select(func.count()).where(Outbox.state == OutboxState.DONE)
                )
            self.done.append((time.monotonic(), count or 0))
            try:
                queued = await self.redis.zrange(self.key, 0, -1)
            except Exception:  # noqa: BLE001 - it is away
                queued = []
            self.most = max(self.most, len(queued))
            rows = Counter(entry[:36] for entry in queued)
            self.entries |= rows
            await asyncio.sleep(0.25)

    def rate(self, since: float, until: float) -> float:
        """Rows done per second between two instants."""
        inside = [(at, count) for at, count in self.done if since <= at <= until]
        (began, first), (ended, last) = inside[0], inside[-1]
        return (last - first) / max(0.001, ended - began)

    async def phase(self, seconds: float = PHASE_S) -> float:
        """Let some time pass; return the rows done per second in it."""
        began = time.monotonic()
        await asyncio.sleep(seconds)
        return self.rate(began, time.monotonic())

    async def drained_or(self, seconds: float) -> None:
        """Wait until no more rows are done for 2 s, or for so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(0.5)
            now, count = self.done[-1]
            if any(at < now - 2 and was == count for at, was in self.done[-20:]):
                return

    def last_rate(self, since: float) -> float:
        """Rows done per second in the last `PHASE_S` after `since` in which there were rows to do."""
        most = self.done[-1][1]
        ended = next(at for at, count in self.done if count == most)
        return self.rate(max(since, ended - PHASE_S), ended)


async def left(make: Sessions) -> int:
    """How many facts are not numbered and rows not done."""
    unnumbered = select(func.count()).where(Entry.seq.is_(None))
    undone = select(func.count()).where(Outbox.state != OutboxState.DONE)
    async with make() as session:
        return (await session.scalar(unnumbered) or 0) + (await session.scalar(undone) or 0)


async def drained(make: Sessions, *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await left(make):  # noqa: ASYNC110 - other processes do the work
            await asyncio.sleep(0.2)


async def backlog_of(make: Sessions, rows: int) -> None:
    """Incidents with news, until their facts have so many consequences; numbered while no worker runs."""
    worlds = [await build.client(make, contacts=1, promises=()) for _ in range(4)]
    at = datetime.now(UTC)
    for n in range(rows // (2 * (NEWS + 2)) + 1):
        world = worlds[n % len(worlds)]
        incident = await build.incident(make, world, at=at)
        async with transaction(make) as session:
            for number in range(NEWS):
                await incidents.update(
                    session, world.staff, incident.id, body=f"News {number}", at=at
                )
            await incidents.resolve(
                session, world.staff, incident.id, resolution="All closed", at=at
            )


def order_of(letter: Message) -> tuple[int, str]:
    """Which fact of its incident a letter tells of."""
    rank = {"incident_opened": -1, "incident_resolved": NEWS}.get(letter.template)
    if rank is None:
        [rank] = [n for n in range(NEWS) if f"News {n}" in letter.body]
    return rank, letter.template


@pytest.mark.slow
async def test_a_backlog_drains_while_redis_is_slow_wiped_and_away_and_a_worker_is_killed(
    make: Sessions, settings: Settings
) -> None:
    await backlog_of(make, ROWS)
    async with make() as session:
        key = f"waarborg:{await numbering.ledger_name(session)}:jobs"
    node = servers.RedisNode(
        settings.data / "redis", servers.free_cluster_ports(1)[0], "--save", ""
    )
    node.start()
    redis = Redis(port=node.port)
    async with Slow(node.port) as proxy:
        changed: dict[str, Any] = {"redis_url": f"redis://127.0.0.1:{proxy.port}"}
        workers = Workers(settings.model_copy(update=changed))
        meter = Meter(make, redis, key)
        measuring = asyncio.create_task(meter.run())
        try:
            killed = workers.start()
            workers.start()
            async with asyncio.timeout(60):
                while not meter.done or not meter.done[-1][1]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await asyncio.sleep(3)  # the second one is there too
            undisturbed = await meter.phase()
            proxy.delay_s = 0.05
            slow = await meter.phase()
            await redis.flushall()
            node.kill()
            away = await meter.phase(AWAY_S)
            node.start()
            killed.kill()
            proxy.delay_s = 0
            restarted = time.monotonic()
            workers.start()
            await meter.drained_or(RECOVERY_S)
            recovered = meter.last_rate(restarted)
            await drained(make, within_s=900)
        finally:
            measuring.cancel()
            workers.kill()
            await redis.aclose()
            node.kill()
    print(  # noqa: T201 - the figures, with -s
        f"rows/s: undisturbed {undisturbed:.0f}, slow {slow:.0f}, away {away:.0f}, recovered {recovered:.0f};"
        f" most entries {meter.most}"
    )
    async with make() as session:
        states = await session.scalars(select(Outbox.state).distinct())
        letters = (await session.scalars(select(Message).order_by(Message.sent_at))).all()
        incidents_told = Counter(each.intent.split(":")[1] for each in letters)
    assert set(states) == {OutboxState.DONE}
    assert all(each.attempts == 1 for each in letters)
    assert set(incidents_told.values()) == {NEWS + 2}
    for incident_id in incidents_told:
        told = [order_of(each) for each in letters if incident_id in each.intent]
        assert told == sorted(told), incident_id
    assert max(meter.entries.values(), default=0) <= 1
    assert meter.most <= ROOM
    assert recovered >= undisturbed / (2 if ALONE else 10)
