"""How fast facts go from writers into the ledger, get their numbers and reach the stream, against a bare INSERT.

`python -m tests.bench.ledger`: eight writers of eight companies commit one fact after the other, on servers of its own
that flush every commit. Ours: the functions that the product calls, see `OURS`; `numbered` and `in the stream` are
reached by the relay that runs meanwhile. Bare: the same rows by `INSERT … RETURNING` of the driver, into a table with
the ledger's columns and indexes, without its foreign keys and triggers. The second part is an import's facts, which
are committed at once. CPU is that of this process and of both servers.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import msgspec
import psutil
from redis.asyncio import Redis
from sqlalchemy import func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.embedded import Servers, servers
from api.support import migrate
from domain.core import sequencing
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.ledger import LedgerRow, ShardMark, record, shard_of
from realtime.tasks import end
from tests import facts
from workers.queue import Queue
from workers.relay import Relay

WRITERS = 8
OURS = {
    "append": "transaction → record",
    "beside": "transaction → record, beside the relay",
    "numbered": "… → assign_sequence (Relay.run)",
    "shipped": "… → ship (Relay.run)",
}
_COLUMNS = (
    "tenant_id, account_id, shard, kind, subject_id, at, origin, actor, body, trace_id, once_key"
)
_BARE = (
    f"INSERT INTO bare ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    " RETURNING id, recorded_at"
)
_BARE_IMPORT = (
    f"INSERT INTO bare ({_COLUMNS}) SELECT {_COLUMNS} FROM ledger WHERE seq > $1 ORDER BY seq"
    " RETURNING id, recorded_at"
)


@dataclass(frozen=True)
class Cost:
    """What a number of facts took until a point."""

    wall_s: float
    cpu_s: float


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def row(what: str, count: int, cost: Cost, bare: Cost) -> str:
    """A row of the table."""
    return (
        f"| {what:42} | {count / cost.wall_s:9,.0f} | {cost.wall_s / bare.wall_s:6.2f} "
        f"| {1e6 * cost.cpu_s / count:8.0f} | {cost.cpu_s / bare.cpu_s:6.2f} |"
    )


HEAD = (
    f"| {'what':42} |   facts/s | ÷ bare | CPU µs/f | ÷ bare |\n"
    f"|{'-' * 44}|----------:|-------:|---------:|-------:|"
)


class Clock:
    """Wall and CPU time of this process and of every process of the servers."""

    def __init__(self, *pids: int) -> None:
        self._servers = [psutil.Process(pid) for pid in pids]
        self._began, self._cpu = time.perf_counter(), self._spent()

    def _spent(self) -> float:
        total = 0.0
        for each in [psutil.Process(os.getpid()), *self._servers]:
            for part in [each, *each.children(recursive=True)]:
                try:
                    used = part.cpu_times()
                except psutil.NoSuchProcess:
                    continue
                total += used.user + used.system
        return total

    def read(self) -> Cost:
        """Return what was spent since the clock was made."""
        return Cost(time.perf_counter() - self._began, self._spent() - self._cpu)


async def together(write: Callable[[int, int], Awaitable[object]], count: int) -> None:
    """Let every writer write its share, one fact after the other."""

    async def writer(n: int) -> None:
        for nth in range(count // WRITERS):
            await write(n, nth)

    await asyncio.gather(*(writer(n) for n in range(WRITERS)))


async def append(make: Sessions, whom: facts.Client, nth: int) -> None:
    """Commit a fact, as a mutation does."""
    async with transaction(make) as session:
        record(
            session,
            whom.actor,
            facts.Noted(account_id=whom.account_id, subject_id=uuid4(), at=facts.T0, n=nth),
        )


async def bare_append(pool: asyncpg.Pool, whom: facts.Client, nth: int) -> None:
    """Commit the same row with the driver."""
    actor = whom.actor
    await pool.fetchrow(
        _BARE,
        actor.tenant_id,
        whom.account_id,
        shard_of(actor.tenant_id, whom.account_id),
        facts.Noted.kind,
        uuid4(),
        facts.T0,
        actor.origin.value,
        actor.subject,
        msgspec.json.encode({"n": nth, "internal": False}).decode(),
        actor.trace_id,
        None,
    )


async def until(make: Sessions, reached: Callable[[AsyncSession], Awaitable[bool]]) -> None:
    """Wait until the ledger got so far."""
    async with make() as session:
        while not await reached(session):
            await session.rollback()
            await asyncio.sleep(0.02)


async def numbered(session: AsyncSession) -> bool:
    """Whether no fact waits for its number."""
    waiting = select(LedgerRow.id).where(LedgerRow.seq.is_(None)).order_by(LedgerRow.id).limit(1)
    return await session.scalar(waiting) is None


async def shipped(session: AsyncSession) -> bool:
    """Whether everything that has a number is in the stream."""
    mark = await session.scalar(select(func.max(ShardMark.shipped_seq))) or 0
    return mark >= await sequencing.last_seq(session)


@asynccontextmanager
async def relaying(pair: Servers, make: Sessions) -> AsyncIterator[None]:
    """A relay that leads, as in a worker."""
    redis = Redis.from_url(pair.redis_url)
    async with make() as session:
        name = await sequencing.ledger_name(session)
    queue = Queue(pair.redis_url, name)
    relay = Relay(pair.system_url, make, redis, queue, name)
    task = asyncio.create_task(relay.run())
    try:
        await facts.until(lambda: relay.leads)
        yield
    finally:
        await end(task)
        await queue.close()
        await redis.aclose()


async def of_writers(
    pair: Servers, make: Sessions, pool: asyncpg.Pool, count: int, pids: Sequence[int]
) -> None:
    """Facts of eight writers."""
    clients = [await facts.client(make) for _ in range(WRITERS)]
    await facts.number_all(make)
    clock = Clock(*pids)
    await together(lambda n, nth: bare_append(pool, clients[n], nth), count)
    bare = clock.read()
    clock = Clock(*pids)
    await together(lambda n, nth: append(make, clients[n], nth), count)
    alone = clock.read()
    say(f"\n{count:,} facts of {WRITERS} writers, each in a transaction of its own\n\n{HEAD}")
    say(row("INSERT … RETURNING", count, bare, bare))
    say(row(OURS["append"], count, alone, bare))
    async with relaying(pair, make):
        await until(make, numbered)
        await until(make, shipped)
        clock = Clock(*pids)
        await together(lambda n, nth: append(make, clients[n], nth), count)
        say(row(OURS["beside"], count, clock.read(), bare))
        await until(make, numbered)
        say(row(OURS["numbered"], count, clock.read(), bare))
        await until(make, shipped)
        say(row(OURS["shipped"], count, clock.read(), bare))


async def of_an_import(
    pair: Servers, make: Sessions, pool: asyncpg.Pool, count: int, pids: Sequence[int]
) -> None:
    """Facts that an import commits at once."""
    imported = await facts.client(make)
    last = (await facts.number_all(make)).seq
    await facts.import_past(make, imported, count)
    async with relaying(pair, make):
        clock = Clock(*pids)
        await until(make, numbered)
        ours = clock.read()
        await until(make, shipped)
        stream = clock.read()
    clock = Clock(*pids)
    await pool.execute(_BARE_IMPORT, last)
    bare = clock.read()
    say(f"\n{count:,} facts of an import, committed at once\n\n{HEAD}")
    say(row("INSERT … SELECT … RETURNING", count, bare, bare))
    say(row("assign_sequence (Relay.run)", count, ours, bare))
    say(row("… → ship (Relay.run), the latest 20,000", count, stream, bare))


async def measure(pair: Servers, count: int, imported: int) -> None:
    """Both parts, on one pair of servers."""
    engine = connect(pair.system_url, pool_size=WRITERS + 2)
    make = sessions(engine)
    owner = connect(pair.owner_url, pool_size=1)
    async with owner.begin() as connection:
        await connection.execute(text("CREATE TABLE bare (LIKE ledger INCLUDING ALL)"))
    await owner.dispose()
    address = make_url(pair.system_url).set(drivername="postgresql")
    pool = await asyncpg.create_pool(
        address.render_as_string(hide_password=False), min_size=WRITERS, max_size=WRITERS
    )
    redis = Redis.from_url(pair.redis_url)
    async with make() as session:
        backend = await session.scalar(text("SELECT pg_backend_pid()"))
    pids = [psutil.Process(backend).ppid(), (await redis.info("server"))["process_id"]]
    await redis.aclose()
    await of_writers(pair, make, pool, count, pids)
    await of_an_import(pair, make, pool, imported, pids)
    await pool.close()
    await engine.dispose()


def main() -> None:
    """Start servers in a directory that goes afterwards, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=lambda text: int(float(text)), default=8_000)
    parser.add_argument("--imported", type=lambda text: int(float(text)), default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as pair:
        migrate.upgrade(pair.owner_url)
        asyncio.run(measure(pair, asked.facts, asked.imported))


if __name__ == "__main__":
    main()
