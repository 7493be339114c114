"""Wake-ups: parts of a worker look when something falls due or is announced, and poll while nothing announces."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from alembic.autogenerate import render_python_code
from alembic.operations import ops
from sqlalchemy import select, text, update

from api.support.announcing import add_triggers
from domain import accounts, commitments
from domain.access import Actor, Role, Tx
from domain.accounts.model import Account
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject, clear, defer
from domain.core.ledger import record
from domain.core.settings import Settings
from domain.core.wakeups import FactKinds, RowAdded, WakeUp
from realtime.changes import NAME, Changes, listen
from realtime.tasks import end
from tests import build, facts
from tests.workers.conftest import Working
from workers.main import for_ever
from workers.periodic import Periodic, WorkContext, repeat
from workers.schedule import messages

pytestmark = pytest.mark.anyio


class Looks:
    """The looks of one part of a worker, which finds nothing."""

    def __init__(self) -> None:
        self.at: list[datetime] = []

    async def step(self, _work: WorkContext, _limit: int) -> int:
        """Note the look."""
        self.at.append(datetime.now(UTC))
        return 0

    async def after(self, count: int, *, within_s: float) -> datetime:
        """Wait for the look after so many looks, and return its time."""
        async with asyncio.timeout(within_s):
            while len(self.at) <= count:  # noqa: ASYNC110 - a test waits for another task
                await asyncio.sleep(0.01)
        return self.at[count]


@asynccontextmanager
async def looking(
    make: Sessions, settings: Settings, wakes: tuple[WakeUp, ...], *, heard: bool = True
) -> AsyncIterator[Looks]:
    """A part that nothing but its wake-ups makes look, once it has looked at the beginning."""
    changes, looks = Changes(), Looks()
    tasks = []
    if heard:
        part = for_ever("changes", lambda: listen(settings.system_database_url, changes))
        tasks.append(asyncio.create_task(part))
        await facts.until(lambda: changes.is_heard)
    job = Periodic("test", 0.05 if heard else 0.2, looks.step, wakes=wakes, backstop_s=3600)
    tasks.append(asyncio.create_task(repeat(job, WorkContext(make, settings, changes))))
    try:
        await looks.after(0, within_s=10)
        await asyncio.sleep(0.3)  # what ran before in this database is announced
        yield looks
    finally:
        await end(*tasks)


async def commit_to(make: Sessions, world: build.World, due_at: datetime) -> None:
    """Make a commitment that falls due at an instant."""
    actor, at = Actor.system(world.tenant.id, "test"), datetime.now(UTC)
    async with transaction(make) as session:
        owner = await accounts.add_user(
            Tx(session, actor, at),
            email=f"{uuid4()}@example.org",
            name="Owner",
            role=Role.DISPATCHER,
        )
    async with transaction(make) as session:
        await commitments.make(
            Tx(session, actor, at),
            world.account.id,
            kind=CommitmentKind.FOLLOW_UP,
            words="Call",
            owner_id=owner.id,
            due_at=due_at,
        )


async def end_listener(owner_url: str) -> None:
    """End the connection that listens, as a restart of PostgreSQL does; wait for one that is being made."""
    statement = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = :name AND datname = current_database()"
    )
    async with asyncio.timeout(20), facts.tampering(owner_url) as session:
        while not (ended := (await session.execute(statement, {"name": NAME})).all()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert ended == [(True,)]


async def test_a_part_looks_when_a_row_is_announced_and_when_it_falls_due(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make, contacts=0)
    await commit_to(make, world, datetime.now(UTC) + timedelta(days=1))  # loads the evaluator
    async with looking(make, settings, commitments.DUE) as looks:
        before = len(looks.at)
        due_at = datetime.now(UTC) + timedelta(seconds=2)
        await commit_to(make, world, due_at)
        announced_at = await looks.after(before, within_s=1.5)
        fell_at = await looks.after(before + 1, within_s=5)
    assert announced_at < due_at < fell_at < due_at + timedelta(seconds=0.5)


async def test_a_row_that_falls_due_later_than_before_wakes_nobody(
    make: Sessions, settings: Settings
) -> None:
    world = await build.client(make, contacts=0)
    await commit_to(make, world, datetime.now(UTC) + timedelta(days=1))
    async with looking(make, settings, commitments.DUE) as looks:
        before = len(looks.at)
        for days, woken in ((2, 0), (1, 1)):
            async with transaction(make) as session:
                await session.execute(
                    update(Commitment)
                    .where(Commitment.tenant_id == world.tenant.id)
                    .values(due_at=datetime.now(UTC) + timedelta(days=days))
                )
            if woken:
                await looks.after(before, within_s=2)
        assert len(looks.at) == before + 1


async def test_a_part_looks_at_facts_of_its_kinds_once_they_are_numbered(
    make: Sessions, settings: Settings
) -> None:
    whom = await facts.client(make)
    await facts.number_all(make)
    async with looking(make, settings, (FactKinds("test.rung", "other."),)) as looks:
        before = len(looks.at)
        await facts.note(make, whom, 1)
        await facts.number_all(make)
        async with transaction(make) as session:
            rung = facts.Rung(account_id=whom.account_id, subject_id=uuid4(), at=facts.T0, n=1)
            record(session, whom.actor, rung)
        numbered_at = datetime.now(UTC)
        await facts.number_all(make)
        assert await looks.after(before, within_s=2) > numbered_at
        assert len(looks.at) == before + 1  # the first kind, announced before, woke nobody


async def test_a_part_looks_when_a_row_is_added(make: Sessions, settings: Settings) -> None:
    async with looking(make, settings, (RowAdded(Account),)) as looks:
        before = len(looks.at)
        await facts.client(make)
        await looks.after(before, within_s=2)


async def test_a_part_looks_when_work_that_failed_is_tried_again(
    make: Sessions, settings: Settings
) -> None:
    whom = await facts.client(make)
    async with looking(make, settings, (RowAdded(Account),)) as looks:
        before, subject = len(looks.at), Subject(whom.actor.tenant_id, whom.account_id)
        async with transaction(make) as session:
            again_at = await defer(
                session,
                "test",
                subject,
                error="no",
                at=datetime.now(UTC),
                first=timedelta(seconds=2),
            )
        await facts.client(make)
        await looks.after(before, within_s=1.5)
        assert again_at < await looks.after(before + 1, within_s=5)
        async with transaction(make) as session:
            await clear(session, "test", subject.id)


async def test_a_part_polls_while_nothing_is_announced(make: Sessions, settings: Settings) -> None:
    async with looking(make, settings, commitments.DUE, heard=False) as looks:
        before = len(looks.at)
        await looks.after(before + 2, within_s=5)


async def test_parts_look_at_everything_when_the_connection_that_listens_is_lost_and_back(
    make: Sessions, settings: Settings, owner_url: str
) -> None:
    async with looking(make, settings, (RowAdded(Account),)) as looks:
        before = len(looks.at)
        await end_listener(owner_url)
        await looks.after(before, within_s=5)
        await asyncio.sleep(1)  # it listens again after a quarter of a second
        before = len(looks.at)
        await facts.client(make)
        await looks.after(before, within_s=2)


async def test_a_worker_whose_listener_is_ended_again_and_again_marks_late_commitments_in_time(
    make: Sessions, settings: Settings, working: Working, owner_url: str
) -> None:
    world = await build.client(make, contacts=0)
    await commit_to(make, world, datetime.now(UTC) + timedelta(days=1))  # loads the evaluator
    query = select(Commitment.late_at).where(Commitment.tenant_id == world.tenant.id)
    async with working():
        for n in range(3):
            due_at = datetime.now(UTC) + timedelta(seconds=1)
            await commit_to(make, world, due_at)
            await end_listener(owner_url)
            async with asyncio.timeout(20):
                while True:
                    async with make() as session:
                        if sum(at is not None for at in await session.scalars(query)) == n + 1:
                            break
                    await asyncio.sleep(0.05)
            assert datetime.now(UTC) < due_at + timedelta(seconds=3)
            await asyncio.sleep(1)  # it listens again


async def test_every_wake_up_has_its_triggers(make: Sessions) -> None:
    """A part that waits for a column without a trigger would look at its backstop only."""
    async with make() as session:
        rows = await session.execute(
            text(
                "SELECT tgrelid::regclass::text, tgname, encode(tgargs, 'escape') FROM pg_trigger"
                " WHERE tgfoid = to_regproc('announce_change') AND NOT tgisinternal"
            )
        )
    found = {(table, name, said.removesuffix("\\000")) for table, name, said in rows}
    waited = set()
    for message in messages():
        table, _, column = message.partition(".")
        waited |= {(table, f"announce_{column or 'row'}_set", message)}
        if column:
            waited |= {(table, f"announce_{column}_earlier", message)}
    assert found == waited, "`make migration` writes those that are missing"


def test_a_generated_revision_has_the_triggers_that_are_missing() -> None:
    upgrade = ops.UpgradeOps([])
    add_triggers({"key.due_at", "site"}, [ops.MigrationScript("1", upgrade, ops.DowngradeOps([]))])
    code = render_python_code(upgrade)
    assert code.count("op.execute(") == 3
    assert "announce_due_at_set AFTER INSERT ON key FOR EACH ROW WHEN (NEW.due_at IS NOT" in code
    assert "announce_due_at_earlier AFTER UPDATE OF due_at ON key FOR EACH ROW" in code
    assert "announce_row_set AFTER INSERT ON site FOR EACH ROW " in code
    assert max(map(len, code.splitlines())) <= 120
