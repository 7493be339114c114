"""The hub: quick through Redis, complete through PostgreSQL, and never wrong about the order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from redis.asyncio import Redis

from domain.access import Origin
from domain.core import sequencing
from domain.core.db import Sessions
from domain.core.sequencing import SequencedEvent
from realtime import feed, hub
from realtime.changes import Changes
from realtime.hub import Hub
from realtime.stream import SequenceBuffer, Streams
from realtime.tasks import end
from tests import facts, servers

pytestmark = pytest.mark.anyio


def fact(seq: int) -> SequencedEvent:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return SequencedEvent(
        seq, UUID(int=1), None, "k", UUID(int=seq), now, now, Origin.LIVE, "a", {}
    )


def told(facts_: list[SequencedEvent]) -> list[int]:
    return [each.seq for each in facts_]


def test_a_line_waits_for_what_is_missing_and_drops_what_it_had() -> None:
    line = SequenceBuffer(10)
    assert told(line.take([fact(12), fact(13), fact(10)])) == []
    assert line.broken
    assert told(line.take([fact(11), fact(12)])) == [11, 12, 13]
    assert not line.broken


def test_a_line_passes_over_a_number_that_postgresql_does_not_have() -> None:
    line = SequenceBuffer(10)
    line.take([fact(14)])
    assert told(line.jump([fact(12), fact(13)])) == [12, 13, 14]
    assert told(line.jump([fact(12)])) == []


@asynccontextmanager
async def following(
    make: Sessions, redis: Redis, changes: Changes | None = None
) -> AsyncIterator[tuple[Hub, Streams]]:
    """A hub at the end of the ledger, and the streams it follows."""
    await facts.number_all(make)
    async with make() as session:
        streams = Streams(redis, await sequencing.ledger_name(session))
    async with Hub(make, redis, changes) as running:
        await running.ready()
        yield running, streams


async def shipped(make: Sessions, streams: Streams, after: int) -> list[SequencedEvent]:
    """Number what is new and ship it, as the relay does."""
    await facts.number_all(make)
    async with make() as session:
        news = await sequencing.read(session, after=after)
    await streams.ship(news)
    return news


async def hear(
    stack: AsyncExitStack, make: Sessions, running: Hub, whom: facts.Client
) -> list[int]:
    """A list that grows by the `n` of each fact that one listener hears."""
    heard: list[int] = []

    async def listen() -> None:
        asked = feed.facts(
            running, make, whom.actor, account_id=whom.account_id, kinds=["test.noted"]
        )
        async with aclosing(asked) as live:
            async for item in live:
                assert isinstance(item, SequencedEvent)
                heard.append(item.body["n"])

    task = asyncio.create_task(listen())
    stack.push_async_callback(end, task)
    await facts.until(lambda: running.listeners > 0)
    return heard


async def test_facts_come_through_redis_without_asking_postgresql(
    make: Sessions, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "COMPARE_S", 30.0)
    whom = await facts.client(make)
    async with following(make, redis) as (running, streams), AsyncExitStack() as stack:
        heard = await hear(stack, make, running, whom)
        for n in range(5):
            await facts.note(make, whom, n)
            await shipped(make, streams, running.position)
        await facts.until(lambda: heard == [0, 1, 2, 3, 4])


async def test_a_fact_that_redis_did_not_bring_is_read_once_it_is_announced(
    make: Sessions, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_COMPARE_S", 300.0)
    whom, changes = await facts.client(make), Changes()
    changes.set_heard(True)
    async with following(make, redis, changes) as (running, _), AsyncExitStack() as stack:
        heard = await hear(stack, make, running, whom)
        await asyncio.sleep(2.5)  # the comparison that the beginning asks for is over
        await facts.note(make, whom, 1)
        await facts.number_all(make)
        await asyncio.sleep(2.5)
        assert heard == []
        changes.pass_on("facts", "test.noted")
        await facts.until(lambda: heard == [1], within_s=10)
        await facts.note(make, whom, 2)
        await facts.number_all(make)
        changes.set_heard(False)  # the connection is lost: it compares every second
        await facts.until(lambda: heard == [1, 2], within_s=10)


async def test_a_pack_that_never_came_is_read_from_postgresql_at_once(
    make: Sessions, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "COMPARE_S", 30.0)
    whom = await facts.client(make)
    async with following(make, redis) as (running, streams), AsyncExitStack() as stack:
        heard = await hear(stack, make, running, whom)
        await facts.note(make, whom, 1, 2, 3)
        await facts.number_all(make)
        async with make() as session:
            news = await sequencing.read(session, after=running.position)
        await streams.ship(news[-1:])  # the relay's other packs are lost
        await facts.until(lambda: heard == [1, 2, 3])


async def test_a_redis_that_forgets_freezes_dies_and_returns_costs_no_fact_and_no_order(
    make: Sessions,
) -> None:
    whom = await facts.client(make)
    with servers.redis_server() as server:
        redis = Redis.from_url(server.url, socket_timeout=3)
        async with following(make, redis) as (running, streams), AsyncExitStack() as stack:
            stack.push_async_callback(redis.aclose)
            heard = await hear(stack, make, running, whom)
            at = running.position

            async def happen(n: int, *, ship: bool) -> None:
                nonlocal at
                await facts.note(make, whom, n)
                if ship:
                    at = (await shipped(make, streams, at))[-1].seq
                else:
                    await facts.number_all(make)
                await facts.until(lambda: heard == list(range(n + 1)))

            await happen(0, ship=True)
            await redis.flushall()
            await happen(1, ship=False)
            server.freeze()
            await happen(2, ship=False)
            server.thaw()
            await happen(3, ship=True)
            server.kill()
            await happen(4, ship=False)
            server.start()
            await happen(5, ship=True)
        assert heard == [0, 1, 2, 3, 4, 5]


async def test_garbage_in_a_stream_costs_no_fact(make: Sessions, redis: Redis) -> None:
    whom = await facts.client(make)
    async with following(make, redis) as (running, streams), AsyncExitStack() as stack:
        heard = await hear(stack, make, running, whom)
        async with make() as session:
            name = await sequencing.ledger_name(session)
        await redis.xadd(
            f"waarborg:{name}:{{3}}:facts", {"facts": b"\xc1"}, id=f"{running.position + 1}-0"
        )
        await facts.note(make, whom, 1)
        await shipped(make, streams, running.position)
        await facts.until(lambda: heard == [1])


async def test_a_lost_database_connection_costs_a_listener_nothing(
    make: Sessions, redis: Redis, owner_url: str
) -> None:
    whom = await facts.client(make)
    async with following(make, redis) as (running, _), AsyncExitStack() as stack:
        heard = await hear(stack, make, running, whom)
        for n in range(3):
            await facts.end_all_connections(owner_url)
            await facts.note(make, whom, n)
            await facts.number_all(make)
            await facts.until(lambda n=n: heard == list(range(n + 1)))  # type: ignore[misc]
