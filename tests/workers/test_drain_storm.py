"""A large backlog while Redis is slow, wiped and away and a worker is killed: all is done, once, in order, at pace.

`WAARBORG_DRAIN_ROWS=10000 WAARBORG_DRAIN_AWAY_S=60` runs it at full size.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from domain import incidents
from domain.access import Tx
from domain.agreements import Priority
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.core.settings import Settings
from domain.messages import Message
from tests import build, servers
from tests.bench.timers import busy_s
from tests.journeys.watching import Workers
from tests.proxy import Slow
from workers.draining import AT_ONCE
from workers.queue import JOBS_AT_ONCE, ROOM

pytestmark = pytest.mark.anyio

ALONE = "WAARBORG_DRAIN_ROWS" in os.environ  # without other tests beside it, rates can be compared
AWAY_S = float(os.environ.get("WAARBORG_DRAIN_AWAY_S", "5"))
PACE = 250  # rows a second, on two idle cores: so many more are laid down as are done while Redis is away
ROWS = int(os.environ.get("WAARBORG_DRAIN_ROWS", "6000")) + int(AWAY_S * PACE)
NEWS = 8  # updates of an incident: each fact has two consequences, and a letter
PHASE_S = 5.0
WIDE = 2 * (JOBS_AT_ONCE + AT_ONCE)  # lanes that two workers can be busy with at once
PHASES_MOST = 12


@dataclass(frozen=True)
class Sample:
    """What was found at one instant."""

    at: float
    done: int
    sent: int
    """How many of those that are done are letters that were sent."""
    lanes: int
    """Lanes with rows to do: of each, one row at a time can be executed."""
    cpu_s: float
    """What the workers have taken of the cores."""


@dataclass(frozen=True)
class Pace:
    """Rows done per second, and per second of the workers' CPU: the latter is the same whatever else runs here."""

    per_s: float
    per_cpu_s: float
    sent: float
    """The share of letters that were sent: the first rows of a backlog compose them, the last ones send them."""

    def __str__(self) -> str:
        return f"{self.per_s:.0f} ({self.per_cpu_s:.0f}, {self.sent:.0%} letters)"


@dataclass
class Meter:
    """Counts rows that are done, lanes that wait, and entries in the queue, several times a second."""

    make: Sessions
    redis: Redis
    key: str
    workers: Workers
    samples: list[Sample] = field(default_factory=list)
    most: int = 0
    entries: Counter[bytes] = field(default_factory=Counter)

    async def run(self) -> None:
        """Look until cancelled."""
        done = select(func.count()).where(Outbox.state == OutboxState.DONE).scalar_subquery()
        sent = (
            select(func.count())
            .where(Outbox.state == OutboxState.DONE, Outbox.job == "send_message")
            .scalar_subquery()
        )
        lanes = (
            select(func.count(func.distinct(Outbox.lane)))
            .where(Outbox.state == OutboxState.PENDING)
            .scalar_subquery()
        )
        while True:
            async with self.make() as session:
                counts = (await session.execute(select(done, sent, lanes))).one()
            self.samples.append(Sample(time.monotonic(), *counts, busy_s(self.workers)))
            try:
                queued = await self.redis.zrange(self.key, 0, -1)
            except Exception:  # noqa: BLE001 - it is away
                queued = []
            self.most = max(self.most, len(queued))
            rows = Counter(entry[:36] for entry in queued)
            self.entries |= rows
            await asyncio.sleep(0.25)

    async def phase(self, seconds: float = PHASE_S) -> Pace:
        """Let some time pass; return the pace in it."""
        first = self.samples[-1]
        await asyncio.sleep(seconds)
        last = self.samples[-1]
        done = last.done - first.done
        return Pace(
            done / (last.at - first.at),
            done / max(0.1, last.cpu_s - first.cpu_s),
            (last.sent - first.sent) / max(1, done),
        )

    async def phases_while_wide(self) -> list[Pace]:
        """The pace in each phase of `PHASE_S`, as long as enough lanes wait to keep all workers busy.

        The last rows of a backlog are those of few lanes, each of which is done in order: their pace is that of one
        row after the other, whatever happened before.
        """
        paces: list[Pace] = []
        while len(paces) < PHASES_MOST:
            pace = await self.phase()
            if self.samples[-1].lanes < WIDE:
                break
            paces.append(pace)
        return paces


async def left(make: Sessions) -> int:
    """How many facts are not numbered and rows not done."""
    unnumbered = select(func.count()).where(LedgerRow.seq.is_(None))
    undone = select(func.count()).where(Outbox.state != OutboxState.DONE)
    async with make() as session:
        return (await session.scalar(unnumbered) or 0) + (await session.scalar(undone) or 0)


async def drained(make: Sessions, *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while await left(make):  # noqa: ASYNC110 - other processes do the work
            await asyncio.sleep(0.2)


async def backlog_of(make: Sessions, rows: int) -> list[UUID]:
    """Incidents with news, until their facts have so many consequences; their ids. No worker runs yet."""
    worlds = [await build.client(make, contacts=1, promises=()) for _ in range(4)]
    opened = []
    at = datetime.now(UTC)
    for n in range(rows // (2 * (NEWS + 2)) + 1):
        world = worlds[n % len(worlds)]
        async with transaction(make) as session:
            incident = await incidents.open_incident(
                Tx(session, world.staff, at),
                site_id=world.site.id,
                priority=Priority.CRITICAL,
                summary="Broken window",
                source=incidents.Source.GUARD,
                reporter="J. Jansen",
            )
            for number in range(NEWS):
                await incidents.update(
                    Tx(session, world.staff, at), incident.id, body=f"News {number}"
                )
            await incidents.resolve(
                Tx(session, world.staff, at), incident.id, resolution="All closed"
            )
        opened.append(incident.id)
    return opened


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
    opened = await backlog_of(make, ROWS)
    async with make() as session:
        key = f"waarborg:{await sequencing.ledger_name(session)}:jobs"
    node = servers.RedisNode(
        settings.data / "redis", servers.free_cluster_ports(1)[0], "--save", ""
    )
    node.start()
    redis = Redis(port=node.port)
    async with Slow(node.port) as proxy:
        changed: dict[str, Any] = {"redis_url": f"redis://127.0.0.1:{proxy.port}"}
        workers = Workers(settings.model_copy(update=changed))
        meter = Meter(make, redis, key, workers)
        measuring = asyncio.create_task(meter.run())
        try:
            killed = workers.start()
            workers.start()
            async with asyncio.timeout(60):
                while not meter.samples or meter.samples[-1].done == meter.samples[0].done:  # noqa: ASYNC110
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
            workers.start()
            starting = await meter.phase()  # it imports, and what the killed one held is waited for
            recovered = await meter.phases_while_wide()
            await drained(make, within_s=900)
        finally:
            measuring.cancel()
            workers.kill()
            await redis.aclose()
            node.kill()
    print(  # noqa: T201 - the figures, with -s
        f"rows/s (and per second of the workers' CPU): undisturbed {undisturbed}, slow {slow}, away {away},"
        f" a new worker starts {starting}, recovered {', '.join(map(str, recovered))};"
        f" most entries {meter.most}"
    )
    async with make() as session:
        states = await session.scalars(select(Outbox.state).distinct())
        letters = (await session.scalars(select(Message).order_by(Message.sent_at))).all()
    told: dict[UUID, list[tuple[int, str]]] = {each: [] for each in opened}
    for letter in letters:
        incident = UUID(letter.intent.split(":")[1])
        if incident in told:
            told[incident].append(order_of(letter))
    assert set(states) == {OutboxState.DONE}
    assert all(each.attempts == 1 for each in letters)
    assert {len(each) for each in told.values()} == {NEWS + 2}
    assert all(each == sorted(each) for each in told.values())
    assert max(meter.entries.values(), default=0) <= 1
    assert meter.most <= ROOM
    assert recovered, "too few rows to measure by"
    if ALONE:
        assert min(each.per_s for each in recovered) >= undisturbed.per_s / 2
    else:  # other tests take the cores in one phase and leave them in the next
        typical = statistics.median(each.per_cpu_s for each in recovered)
        assert typical >= undisturbed.per_cpu_s / 2
