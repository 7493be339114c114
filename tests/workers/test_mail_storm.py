"""The storm: workers are killed, Redis is wiped, mail is refused, stalled and dropped; once is once all the same."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import func, select

from domain import agreements, journal
from domain.access import Actor, Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.core.outbox import Outbox, OutboxState
from domain.core.settings import Settings
from domain.messages import Attempt, Message, MessageSigner, MessageState
from domain.promises import Promise, State
from tests import build, servers
from tests.workers import storms

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.xdist_group("storm")]

BREACHES, CLIENTS, CONTACTS, KILLS, FLUSHES, DOORS = 500, 10, 1, 20, 5, 3
JOBS = ["decide_credit", "tell_credit", "send_message"]
CENTS = 1_000


async def client(make: Sessions) -> build.World:
    """A client with one promise, which earns one credit when it is broken, and its readers."""
    world = await build.client(make, contacts=CONTACTS)
    promised = PromiseDraft(
        name="First response",
        kind=PromiseKind.FIRST_RESPONSE,
        calendar_version_id=world.calendar.id,
        targets={priority: agreements.Target(elapsed_s=900) for priority in Priority},
        credits={None: CreditDraft(fixed_cents=CENTS)},
    )
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, Actor.system(world.tenant.id, "test"), build.T0),
            world.agreement.id,
            in_force_from=datetime(2026, 1, 2, tzinfo=UTC),
            terms=build.terms_draft(world.calendar, promises=[promised]),
        )
    return world


async def broken(make: Sessions, worlds: Sequence[build.World]) -> None:
    """Tickets of two hours ago that nobody answered: each breaks its promise as soon as somebody looks."""
    turn = asyncio.Semaphore(4)

    async def one(n: int) -> None:
        async with turn:
            at = datetime.now(UTC) - timedelta(hours=2)
            world = worlds[n % len(worlds)]
            await build.incident(make, world, priority=Priority.HIGH, at=at, summary=f"Ticket {n}")

    async with asyncio.TaskGroup() as group:
        for n in range(BREACHES):
            group.create_task(one(n))


async def done(make: Sessions, *, at_least: int = 0) -> int:
    """How many consequences have been done, as soon as they are so many."""
    query = select(func.count()).where(Outbox.state == OutboxState.DONE)
    while True:
        async with make() as session:
            count = await session.scalar(query) or 0
        if count >= at_least:
            return count
        await asyncio.sleep(0.1)


async def over(make: Sessions, letters: int) -> None:
    """Wait until every letter has left."""
    query = select(func.count()).where(Message.state == MessageState.SENT)
    while True:
        async with make() as session:
            if await session.scalar(query) == letters:
                return
        await asyncio.sleep(0.2)


async def test_a_storm_leaves_one_credit_for_each_breach_and_one_letter_for_each_reader(
    make: Sessions, settings: Settings, tmp_path: Path
) -> None:
    worlds = [await client(make) for _ in range(CLIENTS)]
    letters = BREACHES * CONTACTS
    log = tmp_path / "mail.log"
    log.touch()
    storm = storms.Storm(log, seed=7)
    storm.kills_before, storm.kills_after, storm.kill_every = 6, 6, letters // 15
    began = time.monotonic()
    with servers.redis_server() as redis_server, storms.relay(storm) as shut_and_open:
        worker = storms.Worker(
            settings.model_copy(
                update={
                    "redis_url": redis_server.url,
                    "jobs_redis_url": redis_server.url,
                    "smtp_host": "127.0.0.1",
                    "smtp_port": storm.port,
                    "smtp_log": log,
                    "smtp_settle_s": 6.0,
                    "smtp_from": "desk@waarborg.example",
                }
            ),
            JOBS,
            tmp_path / "worker.log",
        )
        storm.at_the_door = worker.kill
        flushes = Counter[str]()

        def flush() -> None:
            with Redis.from_url(redis_server.url) as redis:
                redis.flushall()
            flushes["done"] += 1

        async def by_chance() -> None:
            """Kill whatever has done some of the work, at any moment after that."""
            chance = random.Random(11)
            for _ in range(KILLS - 12):
                await done(make, at_least=await done(make) + BREACHES // 4)
                await asyncio.sleep(chance.random())
                storm.counts["killed by chance"] += worker.kill()

        worker.start()
        storming = [
            asyncio.create_task(storms.now_and_then(0.3, 1000, worker.start)),
            asyncio.create_task(by_chance()),
            asyncio.create_task(storms.now_and_then(3.0, FLUSHES, flush)),
            asyncio.create_task(storms.now_and_then(5.0, DOORS, shut_and_open)),
        ]
        try:
            await broken(make, worlds)
            async with asyncio.timeout(500):
                await asyncio.gather(*storming[1:])
                while len(storm.accepted) < letters * 0.9:  # noqa: ASYNC110 - another thread's doing
                    await asyncio.sleep(0.1)
                storm.calm = True
                await over(make, letters)
        finally:
            for task in storming:
                task.cancel()
            await asyncio.gather(*storming, return_exceptions=True)
            worker.end()
    took_s = time.monotonic() - began
    await told(make, worlds, storm, worker, MessageSigner.of(settings), flushes["done"], took_s)


async def told(
    make: Sessions,
    worlds: Sequence[build.World],
    storm: storms.Storm,
    worker: storms.Worker,
    signer: MessageSigner,
    flushes: int,
    took_s: float,
) -> None:
    """Count, print and compare. The database is this file's own: what is in it came from the storm."""
    async with make() as session:
        breached = set(await session.scalars(select(Promise.id).where(Promise.state == State.LATE)))
        granted = (await session.execute(select(Credit.promise_id, Credit.amount_cents))).all()
        written = (
            await session.execute(select(Message.id, Message.intent, Message.contact_id))
        ).all()
        unsettled = await session.scalar(
            select(func.count()).where(
                Attempt.handed_over_at.is_not(None), Attempt.outcome.is_(None)
            )
        )
        dead = await session.scalar(select(func.count()).where(Outbox.state == OutboxState.DEAD))
        balances = [
            await journal.trial_balance(session, Actor.system(world.tenant.id, "test"))
            for world in worlds
        ]
    accepted = Counter(storm.accepted)
    counts = {
        "breaches": len(breached),
        "credits": len(granted),
        "letters written": len(written),
        "accepted": accepted.total(),
        "unique": len(accepted),
        "books out of balance": sum(sum(books.values()) != 0 for books in balances),
        "kills": worker.kills,
        "flushes": flushes,
        **storm.counts,
        "seconds": round(took_s),
    }
    print("storm:", ", ".join(f"{name} {count}" for name, count in counts.items()))  # noqa: T201 - the test is there for its counts
    assert len(breached) == BREACHES
    assert Counter(promise_id for promise_id, _ in granted) == Counter(breached)
    assert {cents for _, cents in granted} == {CENTS}
    assert [sum(books.values()) for books in balances] == [0] * CLIENTS
    assert sum(abs(cents) for books in balances for cents in books.values()) == (
        2 * BREACHES * CENTS
    )
    assert len({(intent, contact_id) for _, intent, contact_id in written}) == CONTACTS * BREACHES
    assert accepted == Counter(
        f"<{signer.signed(message_id)}@waarborg.example>" for message_id, _, _ in written
    )
    assert (worker.kills, flushes, unsettled, dead) == (KILLS, FLUSHES, 0, 0)
    assert storm.counts["killed before 250"] + storm.counts["killed after 250"] >= 10
    for weather in ("refused", "stalled", "dropped mid-DATA", "taken and dropped", "door shut"):
        assert storm.counts[weather] > 0, weather
