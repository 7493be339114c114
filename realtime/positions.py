"""Live positions: the latest position of every guard on shift, in every process, for any number of watchers.

Fixes are already in PostgreSQL when they arrive here, so nothing is kept: new positions are gathered, the
latest of each guard is packed into an entry of one Redis stream, and a slow watcher skips outdated ones. One
stream serves all accounts: 10,000 guards with a fix every 5 s are 0.2 MB/s. While anyone watches, a process
compares itself with PostgreSQL once a second, so an absent Redis costs a second's delay, and a guard whose
shift ended leaves the map.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

import msgspec
import structlog
from redis.asyncio import Redis

from domain import positions
from domain.core import sequencing
from domain.core.db import Sessions
from domain.positions import LivePosition
from realtime.tasks import end
from realtime.topics import Topic

log = structlog.get_logger()

PACK = 500  # positions in an entry at most
KEEP = 64  # entries the stream keeps, approximately
COMPARE_S = 1.0
# longest wait for Redis before it is asked again: a Cluster's slot may have moved meanwhile
WAIT_S = 1.0
UNWATCHED_S = 10.0  # the same while nobody watches; who comes meanwhile is served by the comparison
BACK_S = 5  # how far a comparison looks back: commits come late, and clocks of processes differ
AWAY_S = 1.0  # before Redis is tried again

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(list[LivePosition]).decode


class MapListener:
    """Changes for one watcher since its last read: the latest position of each guard."""

    def __init__(self) -> None:
        self._changed: dict[UUID, LivePosition] = {}
        self._filled = asyncio.Event()

    def offer(self, position: LivePosition) -> None:
        """Store a position, replacing an older one of the same guard."""
        self._changed[position.duty_id] = position
        self._filled.set()

    async def take(self) -> list[LivePosition]:
        """Wait for changes and return them, each guard once."""
        await self._filled.wait()
        self._filled.clear()
        changed = list(self._changed.values())
        self._changed.clear()
        return changed


class LivePositions:
    """Live positions of one process. `async with LivePositions(...)` runs it for the length of the block."""

    def __init__(self, make: Sessions, redis: Redis, now: Callable[[], datetime]) -> None:
        self._make = make
        self._redis = redis
        self._now = now
        self._latest_ms: dict[UUID, int] = {}
        self._listeners: dict[Topic, set[MapListener]] = defaultdict(set)
        self._telling: dict[UUID, LivePosition] = {}
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._key: str | None = None

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._tell(), name="positions.tell"),
            asyncio.create_task(self._follow(), name="positions.follow"),
            asyncio.create_task(self._compare(), name="positions.compare"),
        ]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await end(*self._tasks)

    def offer(self, moved: Sequence[LivePosition]) -> None:
        """Show committed positions to the watchers here, and soon in other processes."""
        self._show(moved)
        self._telling.update((position.duty_id, position) for position in moved)
        self._changed.set()

    @contextmanager
    def listen(self, topic: Topic) -> Iterator[MapListener]:
        """Receive the positions at one account, or (None) of the whole company, from now on."""
        listener = MapListener()
        self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            self._listeners[topic].discard(listener)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def _show(self, moved: Sequence[LivePosition]) -> None:
        if not self._listeners:
            self._latest_ms.clear()
            return
        for position in moved:
            newest = self._latest_ms.get(position.duty_id, -1)
            if position.over:
                if newest != _GONE:
                    self._latest_ms[position.duty_id] = _GONE
                    self._pass_on(position)
            elif position.at_ms > newest:
                self._latest_ms[position.duty_id] = position.at_ms
                self._pass_on(position)

    def _pass_on(self, position: LivePosition) -> None:
        for account_id in (None, position.account_id):
            for listener in self._listeners.get((position.tenant_id, account_id), ()):
                listener.offer(position)

    async def _stream(self) -> str:
        if self._key is None:
            async with self._make() as session:
                name = await sequencing.ledger_name(session)
            self._key = f"waarborg:{name}:{{positions}}"
        return self._key

    async def _tell(self) -> None:
        """Publish new positions; those that gather while Redis is busy or away leave once, the latest of each guard."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            telling, self._telling = list(self._telling.values()), {}
            try:
                key = await self._stream()
                async with asyncio.timeout(AWAY_S):
                    for start in range(0, len(telling), PACK):
                        pack: Any = {"positions": _encode(telling[start : start + PACK])}
                        await self._redis.xadd(key, pack, maxlen=KEEP, approximate=True)
            except Exception as error:  # noqa: BLE001 - other processes read it from PostgreSQL a second later
                log.warning("positions.redis_away", error=repr(error))
                await asyncio.sleep(AWAY_S)

    async def _follow(self) -> None:
        last = "$"
        while True:
            try:
                key = await self._stream()
                wait_s = WAIT_S if self._listeners else UNWATCHED_S
                async with asyncio.timeout(wait_s + 1):
                    found = await self._redis.xread(
                        {key: last}, count=KEEP, block=int(wait_s * 1000)
                    )
                for _key, entries in found:
                    for entry_id, fields in entries:
                        last = entry_id
                        self._show(_decode(fields[b"positions"]))
            except Exception as error:  # noqa: BLE001 - away, stalled or unreadable: PostgreSQL has all positions
                log.warning("positions.redis_away", error=repr(error))
                last = "$"  # a wiped Redis numbers its entries from the beginning
                await asyncio.sleep(AWAY_S)

    async def _compare(self) -> None:
        since = time.time()
        while True:
            await asyncio.sleep(COMPARE_S)
            if not self._listeners:
                continue
            try:
                async with self._make() as session:
                    back = self._now() - timedelta(seconds=max(BACK_S, time.time() - since))
                    self._show(await positions.changed_since(session, back))
                since = time.time()
            except Exception as error:  # noqa: BLE001 - PostgreSQL is away: the map is not updated until it is back
                log.warning("positions.behind", error=repr(error))


_GONE = 2**62
