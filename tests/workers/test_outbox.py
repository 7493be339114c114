"""Consequences: each happens once, is tried again when it failed, and is given up in the open."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, text

from domain.core import claims
from domain.core.backlog import backlog
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow, record
from domain.core.outbox import Outbox, OutboxState
from tests import facts, servers
from tests.workers.conftest import Working
from workers.jobs import JobContext, Runner, pause_s
from workers.outbound.senders import Senders

pytestmark = pytest.mark.anyio

FAR = datetime(2100, 1, 1, tzinfo=UTC)


async def ring(hand: JobContext) -> None:
    """A consequence with an effect that can be counted."""
    record(
        hand.session,
        hand.actor,
        facts.Rung(
            account_id=hand.fact.account_id, subject_id=hand.fact.subject_id, at=hand.at, n=1
        ),
    )


async def ring_and_fall(hand: JobContext) -> None:
    """The same effect, and then a fall."""
    await ring(hand)
    await hand.session.flush()
    raise RuntimeError("no luck")


class Flaky:
    """Falls twice, then does it."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, hand: JobContext) -> None:
        self.calls += 1
        if self.calls < 3:
            await ring_and_fall(hand)
        await ring(hand)


def runner(make: Sessions, tmp_path: Path, job: object, attempts: int = 20) -> Runner:
    return Runner(
        make,
        {"ring": job},  # type: ignore[dict-item]
        Senders({}),
        attempts=attempts,
    )


async def pending(make: Sessions) -> tuple[facts.Client, UUID]:
    """A client and one consequence that no sweeper touches before 2100."""
    whom = await facts.client(make)
    await facts.note(make, whom, 1)
    await facts.number_all(make)
    batch = await facts.number_all(make)
    assert not batch.outbox
    await facts.note(make, whom, 2)
    [outbox_id] = (await facts.number_all(make, {"test.noted": ("ring",)}, at=FAR)).outbox
    return whom, outbox_id


async def rung(make: Sessions, whom: facts.Client) -> int:
    async with make() as session:
        return (
            await session.scalar(
                select(func.count()).where(
                    LedgerRow.account_id == whom.account_id, LedgerRow.kind == "test.rung"
                )
            )
            or 0
        )


async def row(make: Sessions, outbox_id: UUID) -> Outbox:
    async with make() as session:
        return await session.get_one(Outbox, outbox_id)


async def test_twenty_workers_at_once_make_one_effect(make: Sessions, tmp_path: Path) -> None:
    whom, outbox_id = await pending(make)
    run = runner(make, tmp_path, ring)
    await asyncio.gather(*(run.run(outbox_id) for _ in range(20)))
    await run.run(outbox_id)  # and once more when it is done
    assert await rung(make, whom) == 1
    assert (await row(make, outbox_id)).state is OutboxState.DONE


async def test_a_failed_attempt_leaves_nothing_but_its_reason_and_comes_again_later(
    make: Sessions, tmp_path: Path
) -> None:
    whom, outbox_id = await pending(make)
    before = datetime.now(UTC)
    await runner(make, tmp_path, ring_and_fall).run(outbox_id)
    left = await row(make, outbox_id)
    assert await rung(make, whom) == 0
    assert (left.state, left.attempts, left.error) == (
        OutboxState.PENDING,
        1,
        "RuntimeError: no luck",
    )
    assert timedelta(seconds=1) <= left.due_at - before <= timedelta(seconds=3)


async def test_the_reason_of_a_failed_statement_names_none_of_its_values(
    make: Sessions, tmp_path: Path
) -> None:
    async def fail(hand: JobContext) -> None:
        await hand.session.execute(text("SELECT CAST(:a AS integer)"), {"a": "an@secret.example"})

    _, outbox_id = await pending(make)
    await runner(make, tmp_path, fail).run(outbox_id)
    left = await row(make, outbox_id)
    assert left.state is OutboxState.PENDING
    assert left.error
    assert "secret" not in left.error


async def test_what_fails_twice_and_then_works_has_happened_once(
    make: Sessions, tmp_path: Path
) -> None:
    whom, outbox_id = await pending(make)
    run = runner(make, tmp_path, Flaky())
    for _ in range(4):
        await run.run(outbox_id)
    done = await row(make, outbox_id)
    assert (await rung(make, whom), done.state, done.attempts) == (1, OutboxState.DONE, 3)


async def test_what_always_fails_is_given_up_and_stays_visible(
    make: Sessions, tmp_path: Path
) -> None:
    whom, outbox_id = await pending(make)
    run = runner(make, tmp_path, ring_and_fall, attempts=3)
    for _ in range(5):
        await run.run(outbox_id)
    dead = await row(make, outbox_id)
    assert (dead.state, dead.attempts, await rung(make, whom)) == (OutboxState.DEAD, 3, 0)
    async with make() as session:
        assert (await backlog(session, at=FAR)).dead >= 1


def test_pauses_double_up_to_an_hour_and_are_spread() -> None:
    assert [pause_s(n, 0.0) for n in (1, 2, 3, 11, 12, 40)] == [2, 4, 8, 2048, 3600, 3600]
    assert pause_s(3, 0.999) == pytest.approx(4, abs=0.01)


async def test_due_rows_are_claimed_once_while_their_lease_lasts(make: Sessions) -> None:
    _, outbox_id = await pending(make)
    at = FAR + timedelta(seconds=1)
    lease = timedelta(seconds=15)

    async def due(at: datetime) -> list[UUID]:
        async with transaction(make) as session:
            claimed = await claims.claim(session, at=at, lease=lease, limit=10_000)
            return [row_id for row_id, _ in claimed]

    first, second = await asyncio.gather(due(at), due(at))
    later = await due(at + lease)
    assert Counter(first + second)[outbox_id] == 1
    assert outbox_id in later


async def settled(make: Sessions, whom: facts.Client, count: int, *, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while await rung(make, whom) < count:  # noqa: ASYNC110 - the worker tells nobody here
            await asyncio.sleep(0.05)


ROUTES = {"test.noted": (ring,)}


async def test_a_worker_carries_every_fact_to_its_consequence(
    make: Sessions, working: Working
) -> None:
    whom = await facts.client(make)
    async with working(ROUTES):
        await facts.note(make, whom, *range(50))
        await settled(make, whom, 50)
        await facts.note(make, whom, 50)  # a repeat of one of the fifty would come before it
        await settled(make, whom, 51)
    assert await rung(make, whom) == 51


async def test_a_wiped_redis_loses_no_consequence_and_repeats_none(
    make: Sessions, working: Working, redis: Redis
) -> None:
    whom = await facts.client(make)
    async with working(ROUTES):
        for n in range(40):
            await facts.note(make, whom, n)
            await redis.flushall()
        await settled(make, whom, 40)
    assert await rung(make, whom) == 40


async def test_without_redis_the_work_is_done_all_the_same_and_with_it_again_too(
    make: Sessions, working: Working
) -> None:
    whom = await facts.client(make)
    with servers.redis_server() as server:
        async with working(ROUTES, redis_url=server.url, jobs_redis_url=server.url):
            await facts.note(make, whom, 1)
            await settled(make, whom, 1)
            server.kill()
            await facts.note(make, whom, 2)
            await settled(make, whom, 2)
            server.start()
            await facts.note(make, whom, 3)
            await settled(make, whom, 3)
            server.freeze()
            await facts.note(make, whom, 4)
            await settled(make, whom, 4)
            server.thaw()
            await facts.note(make, whom, 5)
            await settled(make, whom, 5)
    assert await rung(make, whom) == 5


async def test_a_lost_database_connection_stops_a_worker_for_a_moment_only(
    make: Sessions, working: Working, owner_url: str
) -> None:
    whom = await facts.client(make)
    async with working(ROUTES):
        await facts.note(make, whom, 1)
        await settled(make, whom, 1)
        for n in (2, 3):
            await facts.end_all_connections(owner_url)
            await facts.note(make, whom, n)
            await settled(make, whom, n)
    assert await rung(make, whom) == 3
