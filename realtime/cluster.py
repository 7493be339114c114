"""Client for a Redis Cluster with the interface of one Redis: each command goes to the node that has its key.

redis-py's own RedisCluster closes the connections to all nodes when one of them fails, so an unavailable node
would interrupt every reader of the others once a second. Here each node has a client of its own, and only the
slot map is shared: it is read again when a node reports that a slot has moved, or does not answer.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

log = structlog.get_logger()

Address = tuple[str, int]

SLOTS = 16_384
REDIRECTS = 4
LOOK_S = 0.25  # least time between two reads of the slot map
PATIENCE_S = 1.0  # time limit for a node's slot map, or for its part of a pipeline

_ON_EVERY_NODE = frozenset({"PING", "SCRIPT LOAD", "FLUSHALL"})
_KEY_COMES_AFTER = {"XREAD": b"STREAMS", "XREADGROUP": b"STREAMS"}
_KEY_COMES_THIRD = frozenset({"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"})


class Cluster(Redis):
    """Redis nodes that share 16,384 slots of keys.

    It supports what one Redis supports, for commands about one key, or about keys with the same `{tag}`;
    others are refused with CROSSSLOT. A pipeline without a transaction may hold commands for different nodes.
    """

    def __init__(self, seeds: Sequence[Address], **options: Any) -> None:
        self.seeds = list(seeds)
        self._options = options
        self._nodes: dict[Address, Redis] = {}
        self._owners: list[Address | None] = [None] * SLOTS
        self._stale = True
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        super().__init__(connection_pool=_pool(self.seeds[0], options))

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: ARG002 - as in Redis
        """Close the connections to all nodes."""
        for node in self._nodes.values():
            await node.aclose(close_connection_pool=True)
        await self.connection_pool.disconnect()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command on the node that has its key, following redirections."""
        if args[0] in _ON_EVERY_NODE:
            return await self._everywhere(args, options)
        key = _key_of(args)
        for _ in range(REDIRECTS):
            node = await self.of(key)
            try:
                return await node.execute_command(*args, **options)  # type: ignore[no-untyped-call]
            except (OSError, RedisError) as error:
                there = self.redirected(error)
                if there is None:
                    raise
                if there[0] == "ASK":
                    return await _ask(self._client(there[1]), args, options)
        raise RedisConnectionError(f"{args[0]} was sent from node to node {REDIRECTS} times")

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        """Return a pipeline: with a transaction for one node, without one each command on its own node."""
        return _Scattered(self, transaction, shard_hint)

    async def of(self, key: str | bytes) -> Redis:
        """Return the client of the node that has a key. Raises `ConnectionError` when no node has it."""
        slot = key_slot(key if isinstance(key, bytes) else key.encode())
        if self._stale or self._owners[slot] is None:
            await self._look()
        owner = self._owners[slot]
        if owner is None:
            raise RedisConnectionError(f"no node has slot {slot}")
        return self._client(owner)

    async def nodes(self) -> dict[Address, Redis]:
        """Return the nodes that have slots, by their address."""
        if self._stale:
            await self._look()
        return {owner: self._client(owner) for owner in {*self._owners} if owner is not None}

    def redirected(self, error: Exception) -> tuple[str, Address] | None:
        """Return the node an error redirects to, permanently (`MOVED`) or once (`ASK`); None without a redirection."""
        if not isinstance(error, ResponseError):
            self._stale = True  # a node that does not answer may have been replaced
            return None
        word, *rest = str(error).split()
        if word == "CLUSTERDOWN":
            self._stale = True
        if word not in {"MOVED", "ASK"}:
            return None
        host, _, port = rest[1].rpartition(":")
        there = (host or self.seeds[0][0], int(port))
        if word == "MOVED":
            self._owners[int(rest[0])] = there
            self._stale = True
        return word, there

    async def _everywhere(self, args: Sequence[Any], options: dict[str, Any]) -> Any:
        nodes = (await self.nodes()).values()
        answers = await asyncio.gather(
            *(node.execute_command(*args, **options) for node in nodes)  # type: ignore[no-untyped-call]
        )
        if not answers:
            raise RedisConnectionError("the Cluster has no nodes")
        return answers[0]

    async def _look(self) -> None:
        """Read the slot map from the first node that answers, unless it was read a moment ago."""
        async with self._looking:
            if time.monotonic() - self._looked_at < LOOK_S:
                return
            for address in dict.fromkeys([*self._nodes, *self.seeds]):
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        node = self._client(address)
                        ranges = await node.execute_command("CLUSTER", "SLOTS")  # type: ignore[no-untyped-call]
                except (OSError, RedisError) as error:
                    log.warning("cluster.node_away", node=address, error=repr(error))
                    continue
                await self._draw(ranges, address)
                break
            self._looked_at = time.monotonic()

    async def _draw(self, ranges: Iterable[Sequence[Any]], reported_by: Address) -> None:
        owners: list[Address | None] = [None] * SLOTS
        for first, last, (host, port, *_), *_replicas in ranges:
            address = (host.decode() or reported_by[0], int(port))
            owners[first : last + 1] = [address] * (last + 1 - first)
        self._owners, self._stale = owners, False
        for gone in self._nodes.keys() - {*owners} - {*self.seeds}:
            await self._nodes.pop(gone).aclose(close_connection_pool=True)

    def _client(self, address: Address) -> Redis:
        if address not in self._nodes:
            self._nodes[address] = Redis.from_pool(_pool(address, self._options))
        return self._nodes[address]


class _Scattered(Pipeline):
    """A pipeline that sends each command to the node that has its key."""

    def __init__(self, cluster: Cluster, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(
            cluster.connection_pool, cluster.response_callbacks, transaction, shard_hint
        )
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Execute the commands; return the answers in their order, with errors among them or raised."""
        commands, self.command_stack = self.command_stack, []
        answers: list[Any] = [None] * len(commands)
        parts: dict[Redis, list[int]] = defaultdict(list)
        for place, (args, _options) in enumerate(commands):
            try:
                parts[await self._cluster.of(_key_of(args))].append(place)
            except RedisError as error:
                answers[place] = error
        if self.is_transaction and len(parts) > 1:
            raise ResponseError("CROSSSLOT a transaction is about keys of one node")

        async def ask(node: Redis, places: list[int]) -> list[Any]:
            pipe = node.pipeline(transaction=self.is_transaction)
            pipe.command_stack = [commands[place] for place in places]
            async with asyncio.timeout(PATIENCE_S):  # a frozen node must not delay the others
                return await pipe.execute(raise_on_error=False)

        answers_by_node = await asyncio.gather(
            *(ask(*part) for part in parts.items()), return_exceptions=True
        )
        for places, answer in zip(parts.values(), answers_by_node, strict=True):
            for n, place in enumerate(places):
                answers[place] = answer if isinstance(answer, BaseException) else answer[n]
        for answer in answers:
            if isinstance(answer, Exception):
                self._cluster.redirected(answer)
                if raise_on_error:
                    raise answer
        return answers


def _pool(address: Address, options: dict[str, Any]) -> ConnectionPool:
    return ConnectionPool(host=address[0], port=address[1], **options)


async def _ask(node: Redis, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Execute one command on a node that does not own its slot yet."""
    pipe = node.pipeline(transaction=False)
    pipe.execute_command("ASKING")
    pipe.execute_command(*args, **options)
    return (await pipe.execute())[1]


def _key_of(args: Sequence[Any]) -> str | bytes:
    """Return the first key of a command. Raises `RedisError` for a command without a key."""
    command = str(args[0])
    if (word := _KEY_COMES_AFTER.get(command)) is not None:
        at = next(n for n, arg in enumerate(args) if arg in {word, word.decode()}) + 1
    else:
        at = 3 if command in _KEY_COMES_THIRD else 1
    key = args[at] if at < len(args) else None
    if not isinstance(key, str | bytes):
        raise RedisError(f"{command} names no key, so no node of the Cluster")
    return key
