"""The relay: every committed fact gets one number, in order, by one leader, and is linked."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, text

from domain.access import Origin
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow, ShardMark
from domain.core.outbox import Outbox
from domain.core.sequencing import SequencedEvent
from realtime.stream import Streams
from realtime.tasks import end
from tests import facts, servers
from tests.chains import verify_chain
from workers.main import for_ever
from workers.queue import Queue
from workers.relay import Relay

pytestmark = pytest.mark.anyio

Relaying = Callable[..., AbstractAsyncContextManager[Relay]]


@pytest.fixture
def relaying(system_url: str, redis_url: str, redis: Redis, make: Sessions) -> Relaying:
    """A candidate for leader, for the length of a block; it stands again when it falls."""

    @asynccontextmanager
    async def stand() -> AsyncIterator[Relay]:
        async with make() as session:
            name = await sequencing.ledger_name(session)
        queue = Queue(redis_url, name)
        relay = Relay(system_url, make, redis, queue, name)
        task = asyncio.create_task(for_ever("relay", relay.run))
        try:
            yield relay
        finally:
            await end(task)
            await queue.close()

    return stand


async def all_numbered(make: Sessions) -> None:
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                if (await sequencing.lag(session)).facts == 0:
                    return
            await asyncio.sleep(0.02)


async def shipped_upto(make: Sessions, seq: int) -> None:
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                if (await session.scalar(select(func.min(ShardMark.shipped_seq))) or 0) >= seq:
                    return
            await asyncio.sleep(0.02)


async def test_eight_writers_at_once_lose_no_fact_and_keep_each_accounts_order(
    make: Sessions, relaying: Relaying
) -> None:
    writers = [await facts.client(make) for _ in range(8)]
    await facts.number_all(make)

    async def write(whom: facts.Client) -> None:
        for n in range(0, 100, 2):
            await facts.note(make, whom, n, n + 1)

    async with relaying():
        await asyncio.gather(*(write(whom) for whom in writers))
        await all_numbered(make)

    told = defaultdict(list)
    async with make() as session:
        rows = await session.execute(
            select(LedgerRow.account_id, LedgerRow.body["n"].as_integer())
            .where(
                LedgerRow.account_id.in_([w.account_id for w in writers]),
                LedgerRow.kind == "test.noted",
            )
            .order_by(LedgerRow.seq)
        )
        for account_id, n in rows:
            told[account_id].append(n)
        lowest, highest, count = (
            await session.execute(
                select(func.min(LedgerRow.seq), func.max(LedgerRow.seq), func.count(LedgerRow.seq))
            )
        ).one()
        chains = [await verify_chain(session, whom.actor.tenant_id) for whom in writers]
    assert list(told.values()) == [list(range(100))] * 8
    assert (lowest, highest) == (1, count)  # dense
    assert [(chain.holds, chain.facts) for chain in chains] == [(True, 101)] * 8


async def test_what_was_numbered_is_shipped_in_order_and_once(
    make: Sessions, relaying: Relaying, redis: Redis
) -> None:
    whom = await facts.client(make)
    before = (await facts.number_all(make)).seq
    async with make() as session:
        streams = Streams(redis, await sequencing.ledger_name(session))
    async with relaying():
        for n in range(300):
            await facts.note(make, whom, n)
        heard: list[SequencedEvent] = []
        async with asyncio.timeout(60):
            while len(heard) < 300:
                after = heard[-1].seq if heard else before
                heard += await streams.read(after, wait_ms=1000)
    assert [fact.seq for fact in heard] == list(range(before + 1, before + 301))
    assert [fact.body["n"] for fact in heard] == list(range(300))


async def test_of_two_relays_one_leads_and_the_other_takes_over_when_its_connection_is_lost(
    make: Sessions, relaying: Relaying, owner_url: str
) -> None:
    async with relaying() as first, relaying() as second:
        await facts.until(lambda: first.leads or second.leads)
        leads = []
        for round_ in range(3):
            whom = await facts.client(make)
            await facts.note(make, whom, round_)
            await all_numbered(make)
            leads.append((first.leads, second.leads))
            async with make() as session:  # the leader's backend is ended, as by a failover
                await session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_locks"
                        " WHERE locktype = 'advisory' AND objid = :low AND database ="
                        " (SELECT oid FROM pg_database WHERE datname = current_database())"
                    ),
                    {"low": 0x5245_4C41},
                )
            led_by = first if leads[-1][0] else second
            await facts.until(lambda led_by=led_by: not led_by.leads)  # type: ignore[misc]
            await facts.until(lambda: first.leads or second.leads)
    assert all(one != other for one, other in leads)


async def test_a_relay_that_died_between_numbering_and_shipping_is_caught_up_with(
    make: Sessions, relaying: Relaying, redis: Redis
) -> None:
    whom = await facts.client(make)
    await facts.note(make, whom, *range(5))
    dead = await facts.number_all(make)  # committed, and then nothing
    async with relaying():
        async with make() as session:
            streams = Streams(redis, await sequencing.ledger_name(session))
        async with asyncio.timeout(60):
            heard = await streams.read(dead.seq - 5, wait_ms=5000)
        await shipped_upto(make, dead.seq)
    assert [fact.body["n"] for fact in heard[-5:]] == [0, 1, 2, 3, 4]


async def test_numbering_goes_on_while_redis_answers_nothing(
    make: Sessions, system_url: str
) -> None:
    with servers.redis_server() as server:
        redis = Redis.from_url(server.url)
        async with make() as session:
            name = await sequencing.ledger_name(session)
        queue = Queue(server.url, name)
        relay = Relay(system_url, make, redis, queue, name)
        task = asyncio.create_task(for_ever("relay", relay.run))
        await facts.until(lambda: relay.leads)
        server.freeze()
        whom = await facts.client(make)
        for n in range(10):
            await facts.note(make, whom, n)
        async with asyncio.timeout(3):
            await all_numbered(make)
        server.thaw()
        async with make() as session:
            head = await sequencing.last_seq(session)
        await shipped_upto(make, head)
        await end(task)
        await queue.close()
        await redis.aclose()


async def test_a_stream_that_is_ahead_of_the_ledger_is_dropped(
    make: Sessions, relaying: Relaying, redis: Redis
) -> None:
    whom = await facts.client(make)
    head = (await facts.number_all(make)).seq
    async with make() as session:
        name = await sequencing.ledger_name(session)
    for shard in range(16):  # what a restored database never had
        await redis.xadd(
            f"waarborg:{name}:{{{shard}}}:facts", {"facts": b"\x90"}, id=f"{head + 10**6}-0"
        )
    async with relaying():
        await facts.note(make, whom, 1)
        heard: list[SequencedEvent] = []
        async with asyncio.timeout(60):
            while not heard:
                heard = await Streams(redis, name).read(head, wait_ms=100)
    assert [fact.body["n"] for fact in heard] == [1]


async def test_history_has_no_consequences_and_news_has_each_once(make: Sessions) -> None:
    whom = await facts.client(make)
    [past] = await facts.note(
        make, replace(whom, actor=replace(whom.actor, origin=Origin.HISTORY)), 1
    )
    [news] = await facts.note(make, whom, 2)
    await facts.number_all(make, {"test.noted": ("ring", "sing")})
    async with make() as session:
        rows = await session.execute(
            select(Outbox.fact_id, Outbox.job)
            .where(Outbox.tenant_id == whom.actor.tenant_id)
            .order_by(Outbox.job)
        )
        assert [tuple(row) for row in rows] == [(news.id, "ring"), (news.id, "sing")]
    assert past.id != news.id


async def test_what_happens_now_does_not_queue_behind_history(make: Sessions) -> None:
    imported, other = await facts.client(make), await facts.client(make)
    past = replace(imported, actor=replace(imported.actor, origin=Origin.HISTORY))
    await facts.number_all(make)
    await facts.note(make, past, *range(50))
    await facts.note(make, imported, 50)
    await facts.note(make, other, 1, 2)
    batches = []
    for _ in range(6):
        async with transaction(make) as session:
            batches.append(
                await sequencing.assign_sequence(session, routes={}, due_at=facts.T0, limit=10)
            )
    async with make() as session:
        rows = await session.execute(
            select(LedgerRow.seq, LedgerRow.account_id, LedgerRow.body["n"].as_integer())
            .where(LedgerRow.account_id.in_([imported.account_id, other.account_id]))
            .where(LedgerRow.kind == "test.noted")
            .order_by(LedgerRow.seq)
        )
        told = rows.all()
        chains = [await verify_chain(session, each.actor.tenant_id) for each in (imported, other)]
    first = told[0].seq
    assert [row.seq for row in told] == list(range(first, first + 53))  # dense
    assert [row.account_id for row in told[:2]] == [other.account_id] * 2
    # One account's facts keep their order: the live one waits for its own history.
    assert [row[2] for row in told if row.account_id == imported.account_id] == list(range(51))
    assert [batch.facts for batch in batches] == [10, 10, 10, 10, 10, 3]
    assert all(chain.holds for chain in chains)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE ledger SET body = body || '{\"n\": 99}' WHERE id = :id", True),
        ("DELETE FROM ledger WHERE id = :id", True),
        ("UPDATE ledger SET at = at + interval '1 second' WHERE id = :id", True),
        ("UPDATE ledger SET trace_id = 'x' WHERE id = :id", False),  # not part of what is told
    ],
)
async def test_a_rewritten_ledger_does_not_verify(
    make: Sessions, owner_url: str, change: str, broken: bool
) -> None:
    whom = await facts.client(make)
    rows = await facts.note(make, whom, 1, 2, 3)
    await facts.number_all(make)
    async with facts.tampering(owner_url) as session:
        await session.execute(text(change), {"id": rows[1].id})
        chain = await verify_chain(session, whom.actor.tenant_id)
    assert chain.holds is not broken


async def test_a_cut_off_end_of_the_ledger_does_not_verify(make: Sessions, owner_url: str) -> None:
    whom = await facts.client(make)
    rows = await facts.note(make, whom, 1, 2)
    await facts.number_all(make)
    async with facts.tampering(owner_url) as session:
        await session.execute(text("DELETE FROM ledger WHERE id = :id"), {"id": rows[1].id})
        chain = await verify_chain(session, whom.actor.tenant_id)
    assert chain.reason is not None
    assert "head" in chain.reason
