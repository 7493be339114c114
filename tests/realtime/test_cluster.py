"""The ledger's streams on a real Redis Cluster of three nodes: every fact in order, whatever becomes of a node."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import select

from api.support.rate_limit import RateLimit, Throttle
from domain.core import sequencing
from domain.core.db import Sessions
from domain.core.ledger import ShardMark, shard_of
from domain.core.sequencing import SequencedEvent
from realtime import feed, hub
from realtime.hub import Hub
from realtime.redis import connect
from realtime.tasks import end
from tests import facts, servers
from workers.main import for_ever
from workers.queue import Queue
from workers.relay import Relay

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def whole() -> Iterator[servers.RedisCluster]:
    """Three masters, each with a replica; for tests that do it no harm."""
    with servers.redis_cluster() as cluster:
        yield cluster


@pytest.fixture
async def redis_cluster(whole: servers.RedisCluster) -> AsyncIterator[Redis]:
    """A client of it."""
    client = connect(whole.url, socket_connect_timeout=2)
    yield client
    await client.aclose()


async def test_one_client_finds_keys_wherever_they_are(redis_cluster: Redis) -> None:
    keys = [f"place:{n}" for n in range(30)]
    for n, key in enumerate(keys):
        await redis_cluster.set(key, n)
    pipe = redis_cluster.pipeline(transaction=False)
    for key in keys:
        pipe.get(key)
    assert await pipe.execute() == [str(n).encode() for n in range(30)]
    assert await redis_cluster.ping()


async def test_keys_with_one_tag_are_changed_together_and_others_are_not(
    redis_cluster: Redis,
) -> None:
    pipe = redis_cluster.pipeline(transaction=True)
    pipe.set("a:{one}", 1)
    pipe.set("b:{one}", 2)
    await pipe.execute()
    assert await redis_cluster.mget("a:{one}", "b:{one}") == [b"1", b"2"]
    pipe.set("a:{one}", 3)
    pipe.set("b:{three}", 4)
    with pytest.raises(ResponseError, match="CROSSSLOT"):
        await pipe.execute()
    with pytest.raises(RedisError, match="names no key"):
        await redis_cluster.execute_command("DBSIZE")  # type: ignore[no-untyped-call]


async def test_rates_are_counted_on_a_cluster(redis_cluster: Redis) -> None:
    throttle = Throttle(redis_cluster)
    for n in range(12):
        waits = [await throttle.wait_s(f"somebody:{n}", 1, RateLimit(1, 2)) for _ in range(3)]
        assert waits[:2] == [0, 0]
        assert waits[2] > 0


@dataclass
class Scene:
    """A relay that ships to a Cluster, hubs that follow it, and accounts on each of its nodes."""

    make: Sessions
    cluster: servers.RedisCluster | servers.Watched
    ledger: str
    accounts: list[facts.Client]
    """One on each node, in the order of the nodes."""
    stack: AsyncExitStack
    told: int = 0
    heard: list[list[SequencedEvent]] = field(default_factory=list)

    async def happen(self, *nodes: int) -> None:
        """One fact after the other, about the accounts on these nodes."""
        for node in nodes:
            self.told += 1
            await facts.note(self.make, self.accounts[node], self.told)

    async def watch(self) -> None:
        """Another hub, as in another API process, with a listener to the whole company."""
        redis = connect(self.cluster.url, socket_connect_timeout=2)
        self.stack.push_async_callback(redis.aclose)
        running = await self.stack.enter_async_context(Hub(self.make, redis))
        await running.ready()
        heard: list[SequencedEvent] = []
        self.heard.append(heard)

        async def listen() -> None:
            actor = self.accounts[0].actor
            asked = feed.facts(running, self.make, actor, kinds=["test.noted"])
            async with aclosing(asked) as live:
                async for item in live:
                    assert isinstance(item, SequencedEvent)
                    heard.append(item)

        task = asyncio.create_task(listen())
        self.stack.push_async_callback(end, task)
        await facts.until(lambda: running.listeners > 0)

    async def all_told(self, *, within_s: float = 60) -> None:
        """Wait until every listener has heard everything; each once, and in the one order there is."""
        numbers = list(range(1, self.told + 1))
        await facts.until(
            lambda: all(len(heard) >= self.told for heard in self.heard), within_s=within_s
        )
        for heard in self.heard:
            assert [fact.body["n"] for fact in heard] == numbers
            assert [fact.seq for fact in heard] == sorted({fact.seq for fact in heard})

    async def abreast(self, node: int) -> None:
        """Let things happen on a node until no stream lacks anything any more."""
        async with asyncio.timeout(60):
            while await self.behind():
                await self.happen(node)
                await asyncio.sleep(0.2)

    async def behind(self) -> set[int]:
        """The shards whose stream lacks something."""
        async with self.make() as session:
            head = await sequencing.last_seq(session)
            return {
                *await session.scalars(select(ShardMark.shard).where(ShardMark.shipped_seq < head))
            }


def node_of(whom: facts.Client, cluster: servers.RedisCluster | servers.Watched) -> int:
    """The place of the node that has an account's stream."""
    shard = shard_of(whom.actor.tenant_id, whom.account_id)
    return key_slot(str(shard).encode()) * cluster.masters // 16_384


@pytest.fixture
def only_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hubs that do not compare themselves with PostgreSQL while all is well: what they hear came through Redis."""
    monkeypatch.setattr(hub, "COMPARE_S", 300.0)


async def scene(
    stack: AsyncExitStack,
    make: Sessions,
    system_url: str,
    redis_url: str,
    cluster: servers.RedisCluster | servers.Watched,
) -> Scene:
    """Two hubs, one relay, an account on each node."""
    first = await facts.client(make)
    accounts = {node_of(first, cluster): first}
    while len(accounts) < cluster.masters:
        other = await facts.sibling(make, first)
        accounts.setdefault(node_of(other, cluster), other)
    await facts.number_all(make)
    async with make() as session:
        name = await sequencing.ledger_name(session)
    redis = connect(cluster.url, socket_connect_timeout=2, socket_timeout=3)
    stack.push_async_callback(redis.aclose)
    queue = Queue(redis_url, name)
    stack.push_async_callback(queue.close)
    relay = Relay(system_url, make, redis, queue, name)
    made = Scene(make, cluster, name, [accounts[n] for n in range(cluster.masters)], stack)
    await made.watch()
    await made.watch()
    task = asyncio.create_task(for_ever("relay", relay.run))
    stack.push_async_callback(end, task)
    await facts.until(lambda: relay.leads)
    return made


@pytest.mark.usefixtures("only_redis")
async def test_every_hub_hears_every_fact_of_all_nodes_in_one_order(
    make: Sessions, system_url: str, redis_url: str, whole: servers.RedisCluster
) -> None:
    async with AsyncExitStack() as stack:
        story = await scene(stack, make, system_url, redis_url, whole)
        await story.happen(*range(3), *(n * n % 3 for n in range(97)))
        await story.all_told()
        assert await story.behind() == set()


async def test_a_node_that_dies_and_comes_back_empty_costs_no_fact_and_no_order(
    make: Sessions, system_url: str, redis_url: str
) -> None:
    with servers.redis_cluster() as cluster:
        async with AsyncExitStack() as stack:
            story = await scene(stack, make, system_url, redis_url, cluster)
            await story.happen(0, 1, 2)
            await story.all_told()
            cluster.nodes[1].kill()
            await story.happen(0, 1, 2, 2, 0, 1)
            await story.all_told()
            assert await story.behind()  # the streams of that node, and of no other
            cluster.nodes[1].start()
            await story.happen(1, 2, 0)
            await story.all_told()

            await story.abreast(1)
            await story.all_told()


async def test_a_frozen_node_does_not_hold_up_the_accounts_of_the_others(
    make: Sessions, system_url: str, redis_url: str
) -> None:
    with servers.redis_cluster() as cluster:
        async with AsyncExitStack() as stack:
            story = await scene(stack, make, system_url, redis_url, cluster)
            await story.happen(0, 1, 2)
            await story.all_told()
            cluster.nodes[0].freeze()
            await story.happen(0)
            await story.all_told()
            waits = []
            for n in range(12):
                began = time.monotonic()
                await story.happen(1 + n % 2)
                await story.all_told()
                waits.append(time.monotonic() - began)
                await asyncio.sleep(0.15)
            cluster.nodes[0].thaw()
            await story.happen(0, 1, 2)
            await story.all_told()
    assert sorted(waits)[6] < 0.9, waits  # one of them may have met the freeze, and waited a second


async def test_a_replica_takes_over_and_facts_come_through_it(
    make: Sessions, system_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.redis_cluster(replicas=3) as cluster:
        async with AsyncExitStack() as stack:
            story = await scene(stack, make, system_url, redis_url, cluster)
            await story.happen(0, 1, 2)
            await story.all_told()
            cluster.nodes[2].kill()
            await story.happen(2, 1, 0)
            await story.all_told()
            await facts.until(cluster.nodes[5].is_master, within_s=30)

            await story.abreast(2)
            await story.all_told()
            await asyncio.sleep(1)  # the hubs' lanes look for their node twice a second
            monkeypatch.setattr(hub, "COMPARE_S", 300.0)
            await asyncio.sleep(1)
            for _ in range(3):
                await story.happen(2)
                await story.all_told()


async def test_slots_that_move_to_another_node_take_their_streams_along(
    make: Sessions, system_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.redis_cluster() as cluster:
        async with AsyncExitStack() as stack:
            story = await scene(stack, make, system_url, redis_url, cluster)
            await story.happen(0, 1, 2)
            await story.all_told()
            monkeypatch.setattr(hub, "COMPARE_S", 300.0)
            whom = story.accounts[0]
            shard = shard_of(whom.actor.tenant_id, whom.account_id)
            key = f"waarborg:{story.ledger}:{{{shard}}}:facts"
            slot = str(key_slot(key.encode()))
            giver, taker = cluster.nodes[0], cluster.nodes[1]
            names = giver.ask("CLUSTER", "MYID"), taker.ask("CLUSTER", "MYID")
            taker.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", names[0])
            giver.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", names[1])
            moved = giver.ask("MIGRATE", "127.0.0.1", str(taker.port), key, "0", "1000")
            assert moved == "OK"
            for _ in range(3):  # ASK: the slot is still the giver's, the stream is not
                await story.happen(0)
                await story.all_told()
            for node in cluster.nodes:
                node.ask("CLUSTER", "SETSLOT", slot, "NODE", names[1])
            for _ in range(3):  # MOVED
                await story.happen(0)
                await story.all_told()


async def test_a_sentinel_names_the_new_master_and_nothing_is_lost(
    make: Sessions, system_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.watched_redis() as redis:
        async with AsyncExitStack() as stack:
            story = await scene(stack, make, system_url, redis.url, redis)  # jobs live there, too
            await story.happen(0, 0)
            await story.all_told()
            redis.master.kill()
            await story.happen(0, 0)
            await story.all_told()
            await facts.until(redis.replica.is_master, within_s=30)
            await story.abreast(0)
            await story.all_told()
            await asyncio.sleep(hub.AWAY_S + 0.5)  # then the hubs look for Redis again
            monkeypatch.setattr(hub, "COMPARE_S", 300.0)
            await asyncio.sleep(1)
            for _ in range(3):
                await story.happen(0)
                await story.all_told()
