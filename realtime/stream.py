"""The ledger as Redis streams: packs of facts per shard, numbered so that a reader detects gaps.

Stream `waarborg:<ledger>:{<shard>}:facts` holds packs; a pack's id is `<last seq in it>-0`, so Redis itself
refuses a repeat. Streams save time and store nothing: they are short, may be wiped at any moment, and a
reader gets what it lacks from PostgreSQL. 100 events in one entry cost 0.8 µs each to write, one entry an
event costs 91 µs.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from domain.core.ledger import SHARDS, shard_of
from domain.core.sequencing import SequencedEvent
from realtime.cluster import Cluster
from realtime.cluster_reader import AWAY, ClusterReader
from realtime.tasks import end

log = structlog.get_logger()

PACK = 128  # facts in an entry at most
KEEP = 256  # entries a shard's stream keeps, approximately
READ = 16  # entries of a shard read at once: at most 16 × 16 × 128 facts
NODE_S = 1.0  # time limit for a node of a Cluster; a frozen one delays the others this long, once
AWAY_S = 1.0  # before a failed node is tried again

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(list[SequencedEvent]).decode

FILLED = Counter(
    "waarborg_hub_facts_from_database", "Facts that Redis did not bring, read from PostgreSQL."
)

Shares = Mapping[int, Sequence[SequencedEvent]]


class Streams:
    """The streams of one ledger, on one Redis or spread over a Cluster's nodes."""

    def __init__(self, redis: Redis, ledger: str) -> None:
        self._redis = redis
        self._keys = [f"waarborg:{ledger}:{{{shard}}}:facts" for shard in range(SHARDS)]
        self._lanes = (
            ClusterReader(redis, self._keys, _decode, entries=READ)
            if isinstance(redis, Cluster)
            else None
        )
        self._away: dict[int, asyncio.Task[None]] = {}

    async def aclose(self) -> None:
        """Stop the background tasks; the connections belong to the caller."""
        await end(*self._away.values())
        self._away.clear()
        if self._lanes is not None:
            await self._lanes.aclose()

    async def ship(self, facts: Sequence[SequencedEvent]) -> frozenset[int]:
        """Add consecutive facts in order, skipping those added before. Raises redis-py's errors.

        Returns the shards that now lack some, because their node of a Cluster is away: their readers use
        PostgreSQL, and the other nodes are not delayed.
        """
        shares: dict[int, list[SequencedEvent]] = defaultdict(list)
        for fact in facts:
            shares[shard_of(fact.tenant_id, fact.account_id)].append(fact)
        if not isinstance(self._redis, Cluster):
            await self._add(self._redis, shares)
            return frozenset()
        places = await self._places(self._redis)
        parts = {
            node: {shard: shares[shard] for shard in shards & shares.keys() - self._away.keys()}
            for node, shards in places.items()
        }
        said = await asyncio.gather(
            *(self._add(*part) for part in parts.items()), return_exceptions=True
        )
        for node, answer in zip(parts, said, strict=True):
            if isinstance(answer, Exception):
                self._redis.redirected(answer)
                log.warning("streams.node_away", shards=sorted(places[node]), error=repr(answer))
                for shard in places[node] - self._away.keys():
                    self._away[shard] = asyncio.create_task(self._come_back(shard))
        if len(self._away) == SHARDS:
            raise RedisConnectionError("no node of the Cluster takes facts")
        return frozenset(shares.keys() & self._away.keys())

    async def forget_beyond(self, seq: int) -> None:
        """Delete streams that are ahead of the ledger: they hold facts that a restored database never had."""
        pipe = self._redis.pipeline(transaction=False)
        for key in self._keys:
            pipe.xrevrange(key, count=1)
        for key, last in zip(self._keys, await pipe.execute(raise_on_error=False), strict=True):
            if not isinstance(last, Exception) and last and int(last[0][0].split(b"-")[0]) > seq:
                await self._redis.delete(key)

    async def read(self, after: int, *, wait_ms: int) -> list[SequencedEvent]:
        """Return facts after `after` in rising order, waiting for the first of them; empty when none came in time."""
        if self._lanes is not None:
            return await self._lanes.read(after, wait_ms=wait_ms)
        try:
            entries = await self._redis.xread(
                dict.fromkeys(self._keys, f"{after}-0"), count=READ, block=wait_ms
            )
        except (OSError, RedisError):
            AWAY.inc()
            raise
        packs = (_decode(fields[b"facts"]) for _key, shard in entries for _id, fields in shard)
        beyond = (fact for pack in packs for fact in pack if fact.seq > after)
        return sorted(beyond, key=lambda fact: fact.seq)

    async def _places(self, cluster: Cluster) -> dict[Redis, set[int]]:
        """Return the nodes with their shards' streams; a shard without a node is away."""
        places: dict[Redis, set[int]] = defaultdict(set)
        for shard, key in enumerate(self._keys):
            try:
                places[await cluster.of(key)].add(shard)
            except RedisError:
                if shard not in self._away:
                    self._away[shard] = asyncio.create_task(self._come_back(shard))
        return places

    async def _add(self, node: Redis, shares: Shares) -> None:
        """Add packs to one node.

        One Redis takes them in one MULTI, so a blocked reader wakes once and finds every shard's packs. A
        Cluster's node takes no transaction over several slots; each shard has a reader of its own there.
        """
        packs = [
            (self._keys[shard], share[start : start + PACK])
            for shard, share in shares.items()
            for start in range(0, len(share), PACK)
        ]
        if not packs:
            return
        alone = node is self._redis
        pipe = node.pipeline(transaction=alone)
        for key, pack in packs:
            _put(pipe, key, pack)
        async with asyncio.timeout(None if alone else NODE_S):
            answers = await pipe.execute(raise_on_error=False)
        for (key, pack), answer in zip(packs, answers, strict=True):
            if isinstance(answer, Exception):
                with _shipped_before():
                    if not (isinstance(self._redis, Cluster) and self._redis.redirected(answer)):
                        raise answer
                    async with asyncio.timeout(NODE_S):
                        await _put(self._redis, key, pack)

    async def _come_back(self, shard: int) -> None:
        """Wait until a shard's node answers again; its readers have read what it missed from PostgreSQL."""
        while True:
            await asyncio.sleep(AWAY_S)
            try:
                async with asyncio.timeout(NODE_S):
                    await self._redis.xlen(self._keys[shard])
            except (OSError, RedisError):
                continue
            del self._away[shard]
            return


def _put(redis: Redis, key: str, pack: Sequence[SequencedEvent]) -> Any:
    """Add a pack to a stream, or to a pipeline."""
    return redis.xadd(
        key,
        {"facts": _encode(pack)},
        id=f"{pack[-1].seq}-0",
        maxlen=KEEP,
        approximate=True,
    )


@contextmanager
def _shipped_before() -> Iterator[None]:
    """Ignore the error that a pack exists already, added by a relay that ended before it could record it."""
    try:
        yield
    except ResponseError as error:
        if "equal or smaller" not in str(error):
            raise


class SequenceBuffer:
    """Buffer that releases facts in their dense order: each `seq` once, right after the one before it."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._early: dict[int, SequencedEvent] = {}

    def take(self, facts: Iterable[SequencedEvent]) -> list[SequencedEvent]:
        """Add facts and return those that are next; repeats are dropped, early ones wait for those missing before."""
        self._early.update((fact.seq, fact) for fact in facts if fact.seq > self.position)
        ready = []
        while fact := self._early.pop(self.position + 1, None):
            self.position += 1
            ready.append(fact)
        return ready

    def jump(self, facts: Sequence[SequencedEvent]) -> list[SequencedEvent]:
        """Do the same with facts from PostgreSQL, which is complete: a number it lacks will never come."""
        ready = [fact for fact in facts if fact.seq > self.position]
        if ready:
            self.position = ready[-1].seq
            FILLED.inc(len(ready))
            self._early = {seq: fact for seq, fact in self._early.items() if seq > self.position}
        return ready + self.take(())

    @property
    def broken(self) -> bool:
        """Whether a fact is missing before an early one."""
        return bool(self._early)

    def drop(self) -> None:
        """Drop early facts; PostgreSQL will return them."""
        self._early.clear()
