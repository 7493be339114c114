"""Feeds: nothing missed, nothing twice, nothing that is not yours."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from domain.access import Role
from domain.core.db import Sessions
from domain.core.errors import Code, Refused
from domain.core.sequencing import SequencedEvent
from realtime import feed
from realtime.feed import Gap
from realtime.hub import Hub
from realtime.source import GapReason
from tests import facts

pytestmark = pytest.mark.anyio


@pytest.fixture
async def hub(make: Sessions, redis: Redis) -> AsyncIterator[Hub]:
    """A hub that follows this worker's ledger from PostgreSQL alone: nobody ships to Redis here."""
    await facts.number_all(make)
    async with Hub(make, redis) as running:
        await running.ready()
        yield running


async def hear(feed_: AsyncGenerator[SequencedEvent | Gap], count: int) -> list[SequencedEvent]:
    """The next `count` facts of a feed, which must come within 10 s."""
    heard: list[SequencedEvent] = []
    async with asyncio.timeout(60):
        while len(heard) < count:
            item = await anext(feed_)
            assert isinstance(item, SequencedEvent)
            heard.append(item)
    return heard


def numbers(heard: list[SequencedEvent]) -> list[int]:
    return [fact.body["n"] for fact in heard]


async def test_a_feed_without_a_cursor_starts_with_what_happens_from_now_on(
    make: Sessions, hub: Hub
) -> None:
    whom = await facts.client(make)
    await facts.note(make, whom, 1)
    past = await facts.number_all(make)
    await facts.until(lambda: hub.position >= past.seq)
    async with aclosing(
        feed.facts(hub, make, whom.actor, account_id=whom.account_id, kinds=["test.noted"])
    ) as live:
        first = asyncio.create_task(hear(live, 1))
        await facts.until(lambda: hub.listeners == 1)
        await facts.note(make, whom, 2)
        await facts.number_all(make)
        heard = await first
    assert numbers(heard) == [2]


async def test_a_feed_with_a_cursor_tells_the_past_and_then_the_present_each_once(
    make: Sessions, hub: Hub
) -> None:
    whom = await facts.client(make)
    await facts.note(make, whom, *range(1200))  # more than two pages
    before = (await facts.number_all(make)).seq - 1300
    heard: list[SequencedEvent] = []
    async with aclosing(
        feed.facts(
            hub,
            make,
            whom.actor,
            account_id=whom.account_id,
            kinds=["test.noted"],
            after=max(0, before),
        )
    ) as live:
        heard += await hear(live, 700)
        await facts.note(make, whom, *range(1200, 1300))  # while it reads back
        await facts.number_all(make)
        heard += await hear(live, 600)
        await facts.note(make, whom, 1300)
        await facts.number_all(make)
        heard += await hear(live, 1)
    assert numbers(heard) == list(range(1301))
    assert [fact.seq for fact in heard] == sorted({fact.seq for fact in heard})


async def test_an_account_of_another_tenant_does_not_exist(make: Sessions, hub: Hub) -> None:
    whom, other = await facts.client(make), await facts.client(make)
    with pytest.raises(Refused) as refused:
        await anext(feed.facts(hub, make, whom.actor, account_id=other.account_id))
    assert refused.value.refusal.code is Code.NOT_FOUND


async def test_a_client_may_not_listen_across_accounts(make: Sessions, hub: Hub) -> None:
    whom = await facts.client(make)
    with pytest.raises(Refused) as refused:
        await anext(feed.facts(hub, make, whom.guest))
    assert refused.value.refusal.code is Code.NOT_ALLOWED


async def test_a_cursor_from_the_future_is_refused(make: Sessions, hub: Hub) -> None:
    whom = await facts.client(make)
    with pytest.raises(Refused) as refused:
        await anext(
            feed.facts(
                hub, make, whom.actor, account_id=whom.account_id, after=hub.position + 10**6
            )
        )
    assert refused.value.refusal.code is Code.CURSOR_INVALID


async def test_a_feed_of_more_kinds_than_there_can_be_is_refused(make: Sessions, hub: Hub) -> None:
    whom = await facts.client(make)
    kinds = [str(n) for n in range(33_000)]
    with pytest.raises(Refused) as refused:
        await anext(
            feed.facts(hub, make, whom.actor, account_id=whom.account_id, kinds=kinds, after=0)
        )
    assert refused.value.refusal.argument == "kinds"


async def test_a_client_never_hears_what_is_internal_and_staff_does(
    make: Sessions, hub: Hub
) -> None:
    whom = await facts.client(make)
    after = (await facts.number_all(make)).seq
    await facts.note(make, whom, 1)
    await facts.note(make, whom, 2, internal=True)
    await facts.number_all(make)
    async with (
        aclosing(
            feed.facts(hub, make, whom.guest, account_id=whom.account_id, after=after)
        ) as outside,
        aclosing(
            feed.facts(hub, make, whom.actor, account_id=whom.account_id, after=after)
        ) as inside,
    ):
        past = [numbers(await hear(outside, 1)), numbers(await hear(inside, 2))]
        waiting = asyncio.gather(hear(outside, 1), hear(inside, 2))
        await facts.until(lambda: hub.listeners == 2)
        await facts.note(make, whom, 3, internal=True)
        await facts.note(make, whom, 4)
        await facts.number_all(make)
        present = [numbers(told) for told in await waiting]
    assert (past, present) == ([[1], [1, 2]], [[4], [3, 4]])


async def test_a_tenant_wide_feed_keeps_one_order_over_all_accounts(
    make: Sessions, hub: Hub
) -> None:
    whom = await facts.client(make)
    others = [whom, *[await facts.sibling(make, whom) for _ in range(5)]]
    stranger = await facts.client(make)
    after = (await facts.number_all(make)).seq
    async with aclosing(
        feed.facts(hub, make, whom.actor, kinds=["test.noted"], after=after)
    ) as everything:
        waiting = asyncio.create_task(hear(everything, 60))
        for n in range(60):
            await facts.note(make, others[n % 6], n)
            await facts.note(make, stranger, n)
            if n % 7 == 0:
                await facts.number_all(make)
        await facts.number_all(make)
        heard = await waiting
    assert numbers(heard) == list(range(60))


async def test_a_reader_that_stops_reading_gets_a_gap_and_bounded_memory_while_others_go_on(
    make: Sessions, hub: Hub
) -> None:
    whom = await facts.client(make)
    after = (await facts.number_all(make)).seq
    ask: dict[str, Any] = {"account_id": whom.account_id, "kinds": ["test.noted"], "after": after}
    async with (
        aclosing(feed.facts(hub, make, whom.actor, **ask, room=10)) as slow,
        aclosing(feed.facts(hub, make, whom.actor, **ask)) as quick,
    ):
        waiting = asyncio.create_task(hear(quick, 31))
        first = asyncio.create_task(hear(slow, 1))
        await facts.until(lambda: hub.listeners == 2)
        await facts.note(make, whom, 0)
        await facts.number_all(make)
        [told] = await first
        await facts.note(make, whom, *range(1, 31))
        await facts.number_all(make)
        assert numbers(await waiting) == list(range(31))
        last = await anext(slow)
        with pytest.raises(StopAsyncIteration):
            await anext(slow)
    assert last == Gap(told.seq, GapReason.TOO_SLOW)


async def test_an_auditor_with_listed_accounts_hears_only_those(make: Sessions, hub: Hub) -> None:
    whom = await facts.client(make)
    other = await facts.sibling(make, whom)
    after = (await facts.number_all(make)).seq
    auditor = replace(whom.actor, role=Role.AUDITOR, accounts=frozenset({whom.account_id}))
    async with aclosing(feed.facts(hub, make, auditor, kinds=["test.noted"], after=after)) as live:
        waiting = asyncio.create_task(hear(live, 2))
        await facts.until(lambda: hub.listeners == 1)
        await facts.note(make, whom, 1)
        await facts.note(make, other, 2)
        await facts.note(make, whom, 3)
        await facts.number_all(make)
        heard = await waiting
    assert numbers(heard) == [1, 3]
