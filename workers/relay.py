"""Relay: one leader numbers committed facts, writes their jobs to the outbox, and publishes the facts to Redis.

Facts are numbered in a transaction on the connection that holds the leader's lock, so a leader that lost its
lock cannot number either. Publishing follows in a loop of its own, so an unresponsive Redis never delays
numbering. It starts at the position that PostgreSQL records as published, so a new leader publishes what its
predecessor did not.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from redis.asyncio import Redis
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from domain.core import epoch, high_water, ledger_signal, outbox, sequencing
from domain.core.db import Sessions, connect, transaction
from domain.core.ledger import ShardMark
from realtime.stream import Streams
from realtime.tasks import first_completed, wait_at_most
from workers.queue import Queue
from workers.routes import ROUTES, Routes, names

log = structlog.get_logger()

LEADER = 0x7761_6172_5245_4C41
NOTED_S = 1.0  # how far the position file outside the database may lag behind while facts arrive
POLL_S = 0.5  # between attempts to lead, or to publish after a failure
BACKSTOP_S = 5.0
"""Longest pause of a leader. Writers signal after their commit; one that ends in between is heard at the next look.

It stays below the time after which the server ends an idle session.
"""
BATCH = 1000  # facts published per round trip
ROUND_S = 0.1
"""Target duration of a transaction that numbers an import; a live fact waits at most this long behind it."""
FEWEST, MOST = 500, 10_000  # facts numbered per transaction
REDIS_S = 3.0
# Facts published at most when far behind: readers fetch older ones from PostgreSQL anyway.
LATEST = 20_000
LEASE = timedelta(seconds=5)
"""Time the queue has to bring a new job to a worker; after it, workers claim the job from PostgreSQL."""

# A frozen leader, or one whose machine is gone, must not keep the lock: the server ends its session.
_MORTAL = (
    "SET idle_session_timeout = '15s'",
    "SET idle_in_transaction_session_timeout = '15s'",
    "SET statement_timeout = '30s'",
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
)


class Relay:
    """A leader candidate; any number may run, and one leads at a time."""

    def __init__(
        self,
        database_url: str,
        make: Sessions,
        redis: Redis,
        queue: Queue,
        ledger: str,
        *,
        routes: Routes = ROUTES,
        noted_in: Path | None = None,
    ) -> None:
        """`noted_in` is a file outside the database: it tells a restored cold copy from the ledger that continued."""
        self._noted_in = noted_in
        self._noted_at = 0.0
        self._is_noted = False
        self._url = database_url
        self._make = make
        self._streams = Streams(redis, ledger)
        self._queue = queue
        self._routes = names(routes)
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._fresh: list[UUID] = []
        self.leads = False

    async def run(self) -> None:
        """Wait for leadership, then lead until the connection is lost. Raises when that happens."""
        async with self._connected() as connection:
            await self._win(connection)
            await self._ensure_epoch(connection)
            self.leads = True
            log.info("relay.leads")
            try:
                await first_completed(
                    asyncio.create_task(self._number(connection), name="number"),
                    asyncio.create_task(self._ship(), name="ship"),
                )
            finally:
                self.leads = False
                await self._streams.aclose()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Open the relay's own connection; closing it releases the lock."""
        engine = connect(self._url, pool_size=1)
        try:
            async with engine.connect() as connection:
                for setting in _MORTAL:
                    await connection.execute(text(setting))
                await connection.commit()
                driver = (await connection.get_raw_connection()).driver_connection
                if driver is None:
                    raise ConnectionError("no connection to listen on")
                await driver.add_listener(ledger_signal.CHANNEL, lambda *_said: self._wake.set())
                try:
                    yield connection
                finally:
                    await (
                        connection.invalidate()
                    )  # closed, not pooled: the lock ends with the session
        finally:
            await engine.dispose()

    async def _win(self, connection: AsyncConnection) -> None:
        """Poll for the leader's lock until it is acquired. Waiting inside PostgreSQL would hold back its vacuum."""
        while not await connection.scalar(
            text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LEADER}
        ):
            await connection.commit()
            await asyncio.sleep(POLL_S)
        await connection.commit()

    async def _ensure_epoch(self, connection: AsyncConnection) -> None:
        """Start a new epoch before the first fact is numbered on a PostgreSQL that was restored from a backup."""
        async with AsyncSession(connection) as session, session.begin():
            noted = None if self._noted_in is None else high_water.read(self._noted_in)
            found = await epoch.ensure(session, at=datetime.now(UTC), noted=noted)
            log.info("relay.epoch", epoch=str(found.id), reason=found.reason)

    async def _number(self, connection: AsyncConnection) -> None:
        """Number committed facts, batch by batch, until cancelled."""
        loop = asyncio.get_running_loop()
        limit = FEWEST
        async with AsyncSession(connection, expire_on_commit=False) as session:
            while True:
                self._wake.clear()
                began = loop.time()
                async with session.begin():
                    batch = await sequencing.assign_sequence(
                        session, routes=self._routes, due_at=datetime.now(UTC) + LEASE, limit=limit
                    )
                if batch.facts:
                    self._fresh.extend(batch.outbox)
                    self._news.set()
                    self._is_noted = False
                await self._note(session)
                if batch.facts < limit:
                    await wait_at_most(self._wake, BACKSTOP_S if self._is_all_noted else NOTED_S)
                else:
                    limit = _paced(limit, took_s=loop.time() - began)

    @property
    def _is_all_noted(self) -> bool:
        """Whether the position file has the last number, or there is none."""
        return self._noted_in is None or self._is_noted

    async def _note(self, session: AsyncSession) -> None:
        """Write the last number to the position file, at most once a second; a full disk does not stop numbering."""
        now = asyncio.get_running_loop().time()
        if self._noted_in is None or self._is_all_noted or now < self._noted_at + NOTED_S:
            return
        self._noted_at, self._is_noted = now, True
        async with session.begin():
            found = await epoch.high_water(session)
        if found is None:
            return
        try:
            await asyncio.to_thread(high_water.write, self._noted_in, found)
        except OSError as error:
            log.warning("relay.not_noted", file=str(self._noted_in), error=repr(error))

    async def _ship(self) -> None:
        """Publish new facts to Redis, retrying after failures, until cancelled."""
        checked = False
        while True:
            self._news.clear()
            fresh, self._fresh = self._fresh, []
            try:
                left = await self._queue.put(fresh)
                fresh = []
                await self._release(left)
                if not checked:
                    async with self._make() as session, asyncio.timeout(REDIS_S):
                        await self._streams.forget_beyond(await sequencing.last_seq(session))
                    checked = True
                await self._ship_rest()
            except Exception as error:  # noqa: BLE001 - Redis only saves time: PostgreSQL has everything
                log.warning("relay.not_shipped", error=repr(error))
                await self._release(fresh)
                await asyncio.sleep(POLL_S)
                continue
            await wait_at_most(self._news, BACKSTOP_S)

    async def _ship_rest(self) -> None:
        """Publish every numbered fact that was not published, oldest first.

        A shard that is behind the others had its node away; its readers have read what it missed from
        PostgreSQL.
        """
        while True:
            async with self._make() as session:
                shipped = await session.scalar(select(func.max(ShardMark.shipped_seq))) or 0
                after = max(shipped, await sequencing.last_seq(session) - LATEST)
                facts = await sequencing.read(session, after=after, limit=BATCH)
            if not facts:
                return
            async with asyncio.timeout(REDIS_S):
                missed = await self._streams.ship(facts)
            async with transaction(self._make) as session:
                # Marks that a crash loses are made again: Redis refuses facts that it has.
                await session.execute(text("SET LOCAL synchronous_commit = off"))
                await session.execute(
                    update(ShardMark)
                    .where(ShardMark.shipped_seq < facts[-1].seq, ShardMark.shard.not_in(missed))
                    .values(shipped_seq=facts[-1].seq)
                )

    async def _release(self, outbox_ids: Sequence[UUID]) -> None:
        """Let workers claim rows at once instead of after the lease, because queueing them failed."""
        if outbox_ids:
            async with transaction(self._make) as session:
                await outbox.release(session, outbox_ids, at=datetime.now(UTC))


async def is_led(session: AsyncSession) -> bool:
    """Return whether the relay of some worker leads, so that committed facts are numbered."""
    holders = text(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = :lock)"
    )
    return bool(await session.scalar(holders, {"lock": LEADER}))


def _paced(limit: int, *, took_s: float) -> int:
    """Return the size of the next batch, so that it takes `ROUND_S`; at most twice the last one."""
    return max(FEWEST, min(MOST, 2 * limit, int(limit * ROUND_S / took_s)))
