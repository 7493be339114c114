"""Draining the outbox: one queue entry a row, an order per subject, companies in turn, lag from the fact."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import select, update
from structlog.testing import capture_logs

from api.commands.findings import PartState
from api.commands.server_findings import backlog_findings
from domain import incidents
from domain.access import Tx
from domain.core import claims, outbox, sequencing
from domain.core.backlog import Backlog, backlog
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow, record
from domain.core.outbox import Outbox, OutboxState
from domain.core.settings import Settings
from domain.messages import Message
from tests import build, facts
from tests.workers.conftest import Working
from workers.draining import BacklogReport
from workers.jobs import JobContext, Reschedule, Runner
from workers.outbound.senders import Senders
from workers.periodic import WorkContext
from workers.queue import ROOM, Queue

pytestmark = pytest.mark.anyio

FAR = datetime(2100, 1, 1, tzinfo=UTC)
ROUTES = {"test.noted": ("ring",)}


async def note_about(make: Sessions, whom: facts.Client, subject: UUID, *numbers: int) -> None:
    """Facts about one subject, one after the other."""
    async with transaction(make) as session:
        for n in numbers:
            fact = facts.Noted(account_id=whom.account_id, subject_id=subject, at=facts.T0, n=n)
            record(session, whom.actor, fact)


async def rows_of(make: Sessions, whom: facts.Client) -> Sequence[Outbox]:
    async with make() as session:
        rows = await session.scalars(
            select(Outbox).where(Outbox.tenant_id == whom.actor.tenant_id).order_by(Outbox.fact_id)
        )
        return rows.all()


async def pending(make: Sessions, whom: facts.Client) -> Backlog:
    async with make() as session:
        mine = Outbox.tenant_id == whom.actor.tenant_id
        return await backlog(session, mine, at=datetime.now(UTC))


class Ringing:
    """Remembers which facts were done, in order; `failing` ones fail, `late` ones are postponed."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.failing: set[int] = set()
        self.later: Reschedule | None = None

    async def __call__(self, hand: JobContext) -> None:
        n = int(hand.fact.body["n"])
        if n in self.failing:
            raise RuntimeError(f"no luck with {n}")
        if self.later is not None and n == 0:
            raise self.later
        await asyncio.sleep(0.01)
        self.done.append(n)

    def runner(self, make: Sessions) -> Runner:
        return Runner(make, {"ring": self}, Senders({}), attempts=20)


async def test_rows_of_one_subject_are_done_in_the_order_of_their_facts(
    make: Sessions,
) -> None:
    whom, ring, subject = await facts.client(make), Ringing(), uuid4()
    await note_about(make, whom, subject, *range(10))
    rows = (await facts.number_all(make, ROUTES, at=FAR)).outbox
    runner = ring.runner(make)
    async with asyncio.timeout(60):
        while len(ring.done) < 10:
            await asyncio.gather(*(runner.run_new(row) for row in reversed(rows)))
    assert ring.done == list(range(10))


async def test_a_failing_row_blocks_its_subject_for_ten_minutes_and_others_not_at_all(
    make: Sessions,
) -> None:
    whom, ring, subject = await facts.client(make), Ringing(), uuid4()
    ring.failing = {0}
    await note_about(make, whom, subject, 0, 1)
    await note_about(make, whom, uuid4(), 2)
    rows = (await facts.number_all(make, ROUTES, at=FAR)).outbox
    runner = ring.runner(make)
    for row in rows:
        await runner.run(row)
    assert ring.done == [2]
    async with transaction(make) as session:
        await session.execute(
            update(Outbox)
            .where(Outbox.id == rows[0])
            .values(failing_since=datetime.now(UTC) - outbox.HOLD)
        )
    await runner.run(rows[1])
    assert ring.done == [2, 1]
    left = (await rows_of(make, whom))[0]
    assert (left.state, left.error) == (OutboxState.PENDING, "RuntimeError: no luck with 0")


async def test_what_fails_after_ten_minutes_comes_after_the_earlier_one(make: Sessions) -> None:
    whom, ring, subject = await facts.client(make), Ringing(), uuid4()
    ring.failing = {0, 1}
    await note_about(make, whom, subject, 0, 1)
    rows = (await facts.number_all(make, ROUTES, at=FAR)).outbox
    runner = ring.runner(make)
    await runner.run(rows[0])
    async with transaction(make) as session:
        await session.execute(
            update(Outbox)
            .where(Outbox.id == rows[0])
            .values(failing_since=datetime.now(UTC) - outbox.HOLD, due_at=FAR)
        )
    await runner.run(rows[1])
    first, second = await rows_of(make, whom)
    assert second.due_at > first.due_at == FAR
    async with transaction(make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))


@pytest.mark.parametrize("lets_pass", [True, False])
async def test_a_row_that_waits_on_purpose_lets_later_ones_pass(
    make: Sessions, lets_pass: bool
) -> None:
    whom, ring, subject = await facts.client(make), Ringing(), uuid4()
    ring.later = Reschedule(datetime.now(UTC) + timedelta(hours=8), "quiet", lets_pass=lets_pass)
    await note_about(make, whom, subject, 0, 1)
    rows = (await facts.number_all(make, ROUTES, at=FAR)).outbox
    runner = ring.runner(make)
    for row in rows:
        await runner.run(row)
    assert ring.done == ([1] if lets_pass else [])
    left = await pending(make, whom)
    assert (left.pending, left.failed) == (1 if lets_pass else 2, 0)
    assert left.lag_s < 60


async def test_a_row_is_queued_once_however_often_it_is_put(redis_url: str, redis: Redis) -> None:
    name = f"test-{uuid4()}"
    queue = Queue(redis_url, name)
    ids = [uuid4() for _ in range(5)]
    for _ in range(4):
        assert not await queue.put(ids)
    queued = await redis.zrange(f"waarborg:{name}:jobs", 0, -1)
    assert sorted(UUID(each.decode()) for each in queued) == sorted(ids)
    await queue.close()


async def test_the_queue_takes_no_more_than_it_has_room_for(redis_url: str) -> None:
    queue = Queue(redis_url, f"test-{uuid4()}")
    ids = [uuid4() for _ in range(ROOM + 30)]
    assert list(await queue.put(ids)) == ids[ROOM:]
    assert list(await queue.put(ids[ROOM:])) == ids[ROOM:]
    await queue.close()


async def test_companies_are_served_in_turn(make: Sessions) -> None:
    large = await facts.client(make)
    await facts.note(make, large, *range(300))
    await facts.number_all(make, ROUTES, at=facts.T0)
    small = [await facts.client(make) for _ in range(7)]
    for whom in small:
        await facts.note(make, whom, 1)
    await facts.number_all(make, ROUTES, at=facts.T0 + timedelta(days=1))
    async with transaction(make) as session:
        claimed = await claims.claim(
            session, at=datetime.now(UTC), lease=timedelta(minutes=5), limit=8
        )
        tenants = await session.scalars(
            select(Outbox.tenant_id).where(Outbox.id.in_([row for row, _ in claimed]))
        )
    served = set(tenants)
    assert {whom.actor.tenant_id for whom in [large, *small]} == served
    async with transaction(make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))


async def test_lag_is_measured_from_the_fact_however_often_the_row_is_tried(
    make: Sessions, owner_url: str
) -> None:
    whom, ring = await facts.client(make), Ringing()
    await facts.note(make, whom, 1)
    async with transaction(make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))
    batch = await facts.number_all(make, ROUTES, at=datetime.now(UTC))
    hour = timedelta(hours=1)
    async with transaction(make) as session:
        mine = Outbox.tenant_id == whom.actor.tenant_id
        for _ in range(3):  # claimed by workers that die
            await claims.claim(session, at=datetime.now(UTC) + hour, lease=hour, limit=9)
        left = await backlog(session, mine, at=datetime.now(UTC) + hour)
        recorded_at = await session.scalar(
            select(LedgerRow.recorded_at).where(
                LedgerRow.account_id == whom.account_id, LedgerRow.kind == "test.noted"
            )
        )
    assert left.oldest_at == left.waiting_since == recorded_at
    assert left.lag_s == pytest.approx(3600, abs=60)
    assert left.is_late
    ring.failing = {1}
    await ring.runner(make).run(batch.outbox[0])
    left = await pending(make, whom)
    assert (left.failed, left.lag_s, left.oldest_at) == (1, 0, recorded_at)


@pytest.mark.slow
async def test_a_backlog_bigger_than_the_queue_drains_and_is_done_once(
    make: Sessions, working: Working, redis: Redis
) -> None:
    whom = await facts.client(make)
    count = 3 * ROOM
    async with make() as session:
        key = f"waarborg:{await sequencing.ledger_name(session)}:jobs"
    await facts.note(make, whom, *range(count))

    async def ring(hand: JobContext) -> None:
        rung = facts.Rung(
            account_id=hand.fact.account_id, subject_id=hand.fact.subject_id, at=hand.at, n=1
        )
        record(hand.session, hand.actor, rung)

    most = 0
    async with working({"test.noted": (ring,)}):
        async with asyncio.timeout(120):
            while True:
                most = max(most, await redis.zcard(key))
                rows = await rows_of(make, whom)
                if len(rows) == count and all(row.state is OutboxState.DONE for row in rows):
                    break
                await asyncio.sleep(0.1)
    async with make() as session:
        rung = await session.scalars(
            select(LedgerRow.subject_id).where(
                LedgerRow.account_id == whom.account_id, LedgerRow.kind == "test.rung"
            )
        )
        done = rung.all()
    assert len(done) == len(set(done)) == count
    assert most <= ROOM


async def test_letters_of_an_incident_leave_in_the_order_of_its_facts(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    at = datetime.now(UTC)
    incident = await build.incident(make, world, at=at)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, at), incident.id)
        for n in range(4):
            await incidents.update(
                Tx(session, world.staff, at), incident.id, body=f"News {n}", client_visible=True
            )
    async with working():
        async with asyncio.timeout(60):
            while True:
                async with make() as session:
                    query = select(Message).where(Message.account_id == world.account.id)
                    letters = (await session.scalars(query.order_by(Message.sent_at))).all()
                if len(letters) == 10 and all(each.sent_at for each in letters):
                    break
                await asyncio.sleep(0.1)
    for contact in world.contacts:
        told = [each for each in letters if each.contact_id == contact.id]
        news = [n for each in told[1:] for n in range(4) if f"News {n}" in each.body]
        assert told[0].template == "incident_opened"
        assert news == [0, 1, 2, 3]


async def test_a_backlog_is_logged_and_the_doctor_names_it(
    make: Sessions, settings: Settings
) -> None:
    whom = await facts.client(make)
    await facts.note(make, whom, 1)
    await facts.number_all(make, ROUTES, at=FAR)
    reporting = BacklogReport()
    with capture_logs() as calm:
        await reporting.look(WorkContext(make, settings), 1)
    mine = Outbox.tenant_id == whom.actor.tenant_id
    async with transaction(make) as session:
        recorded_at = datetime.now(UTC) - timedelta(minutes=20)
        await session.execute(update(Outbox).where(mine).values(recorded_at=recorded_at))
    with capture_logs() as late:
        await reporting.look(WorkContext(make, settings), 1)
    [found] = await backlog_findings(settings)
    async with transaction(make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))
    assert "outbox.behind" not in {each["event"] for each in calm}
    [said] = [each for each in late if each["event"] == "outbox.behind"]
    assert said["lag_s"] >= 1_200
    assert (found.state, found.remedy) == (
        PartState.WORRYING,
        "Start a worker, or more of them.",
    )
    assert int(found.seen.rpartition("waits for ")[2].removesuffix(" s")) >= 1_200
