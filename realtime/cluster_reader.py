"""Reader of the ledger's streams on a Redis Cluster: one task per stream, merged into one order.

One command may not read keys of different slots, so each stream has a task and a connection of its own. Their
entries arrive in any order; early facts wait a moment for the missing ones, because asking PostgreSQL for
those costs more.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import structlog
from prometheus_client import Counter
from redis.exceptions import RedisError

from domain.core.sequencing import SequencedEvent
from realtime.cluster import Cluster
from realtime.tasks import end, wait_at_most

log = structlog.get_logger()

# wait for a fact that is missing before later ones; two nodes are about 1 ms apart
PATIENCE_S = 0.05
BLOCK_MS = 1000
AGAIN_S = 0.5  # before a failed stream is read again
MOST = 50_000  # facts that wait for the hub; beyond that it reads PostgreSQL anyway

AWAY = Counter(
    "waarborg_hub_redis_away", "Times that Redis, or a node of its Cluster, failed the hub."
)


class ClusterReader:
    """Reads each stream in a task of its own, from the first `read` until `aclose`."""

    def __init__(
        self,
        cluster: Cluster,
        keys: Sequence[str],
        decode: Callable[[bytes], list[SequencedEvent]],
        *,
        entries: int,
    ) -> None:
        self._cluster = cluster
        self._keys = keys
        self._decode = decode
        self._entries = entries
        self._tasks: list[asyncio.Task[None]] = []
        self._after = 0
        self._arrived: dict[int, SequencedEvent] = {}
        self._woken = asyncio.Event()
        self._down: dict[str, Exception] = {}

    async def aclose(self) -> None:
        """Stop the tasks."""
        await end(*self._tasks)
        self._tasks.clear()

    async def read(self, after: int, *, wait_ms: int) -> list[SequencedEvent]:
        """Return facts after `after` in rising order, waiting for the first of them; empty when none came in time.

        A stream that fails does not delay the others. Raises redis-py's errors, or `OSError`, when all of
        them fail.
        """
        self._after = after
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._follow(key), name=key) for key in self._keys]
        for seq in [seq for seq in self._arrived if seq <= after]:
            del self._arrived[seq]
        clock = asyncio.get_running_loop().time
        until = clock() + wait_ms / 1000
        hole_until = None
        while not (ready := self._ready(after)):
            now = clock()
            if self._arrived:
                hole_until = hole_until or (now if self._down else min(until, now + PATIENCE_S))
            if now >= (hole_until or until):
                ready = [self._arrived[seq] for seq in sorted(self._arrived)]
                self._arrived.clear()
                break
            if len(self._down) == len(self._keys):
                raise next(iter(self._down.values()))
            self._woken.clear()
            await wait_at_most(self._woken, (hole_until or until) - now)
        return ready

    def _ready(self, after: int) -> list[SequencedEvent]:
        """Return the facts that follow `after` without a gap."""
        ready = []
        while fact := self._arrived.pop(after + 1, None):
            after += 1
            ready.append(fact)
        return ready

    async def _follow(self, key: str) -> None:
        """Read one stream until cancelled."""
        last = 0
        while True:
            try:
                async with asyncio.timeout(BLOCK_MS / 1000 + 1):  # a frozen node answers nothing
                    streams = await self._cluster.xread(
                        {key: f"{max(last, self._after)}-0"}, count=self._entries, block=BLOCK_MS
                    )
            except (OSError, RedisError) as error:
                if key not in self._down:
                    AWAY.inc()
                    log.warning("lanes.down", key=key, error=repr(error))
                self._down[key] = error
                self._cluster.redirected(error)
                self._woken.set()
                await asyncio.sleep(AGAIN_S)
                continue
            self._down.pop(key, None)
            last = 0  # nothing came: a stream that was created again may begin with lower numbers
            for _key, entries in streams:
                for entry_id, fields in entries:
                    last = int(entry_id.split(b"-")[0])
                    self._take(fields[b"facts"])

    def _take(self, pack: bytes) -> None:
        try:
            facts = self._decode(pack)
        except msgspec.MsgspecError as error:  # the hub reads these facts from PostgreSQL instead
            log.warning("lanes.unreadable", error=repr(error))
            return
        if len(self._arrived) > MOST:
            self._arrived.clear()
        self._arrived.update((fact.seq, fact) for fact in facts if fact.seq > self._after)
        self._woken.set()
