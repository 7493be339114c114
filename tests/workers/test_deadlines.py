"""Many deadlines at once: each falls once, at its own instant, and a set of them costs little more than one."""

from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from sqlalchemy import event, func, select

from domain import promises
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.promises import Promise, State
from tests import build
from tests.bench.timers import all_fallen, head, lateness, lay_down
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio


class Statements:
    """What is said to PostgreSQL by the sessions of a maker, while this is entered."""

    def __init__(self, make: Sessions) -> None:
        self._engine: Any = make.kw["bind"].sync_engine
        self.count = 0

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._saw)
        return self

    def __exit__(self, *_exc: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._saw)

    def _saw(self, *_said: object) -> None:
        self.count += 1


async def overdue(make: Sessions, tickets: int) -> None:
    now = datetime.now(UTC)
    world = await build.client(make, contacts=0)
    await lay_down(make, [world], [now] * tickets, at=now - timedelta(seconds=1))


async def breaches(make: Sessions, since: int) -> list[int]:
    """How often each promise that broke after this fact was said to be broken."""
    async with make() as session:
        found = await session.scalars(
            select(func.count())
            .where(LedgerRow.id > since, LedgerRow.kind == "promise.breached")
            .group_by(LedgerRow.subject_id)
        )
        return list(found)


async def test_a_sweep_of_five_hundred_tickets_says_no_more_to_postgresql_than_one_of_five(
    make: Sessions,
) -> None:
    said = []
    for tickets in (5, 5, 500):  # the first one also reads terms and calendars
        await overdue(make, tickets)
        with Statements(make) as statements:
            async with transaction(make) as session:
                swept = await promises.sweep(session, at=datetime.now(UTC), limit=1000)
        assert swept == tickets
        said.append(statements.count)
    assert said[2] == said[1]


async def test_deadlines_that_pass_while_a_worker_is_at_work_fall_once_and_never_early(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=0)
    async with working():
        since, now = await head(make), datetime.now(UTC)
        began = now + timedelta(seconds=3)
        due = [began + timedelta(milliseconds=4 * n) for n in range(1000)]
        await lay_down(make, [world], due, at=now)
        await all_fallen(make, since, len(due), 60)
        late = await lateness(make, since, began)
    assert await breaches(make, since) == [1] * len(due)
    assert late.least >= 0


async def test_what_came_due_without_a_worker_falls_as_of_the_instant_it_was_due(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=0)
    now = datetime.now(UTC)
    due = [now - timedelta(milliseconds=500 * n) for n in range(1000)]
    since = await head(make)
    await lay_down(make, [world], due, at=due[-1] - timedelta(seconds=1))
    async with working():
        await all_fallen(make, since, len(due), 60)
    async with make() as session:
        fell_at = await session.scalars(
            select(LedgerRow.at).where(LedgerRow.id > since, LedgerRow.kind == "promise.breached")
        )
        assert sorted(fell_at) == sorted(due)


async def test_many_deadlines_of_one_company_do_not_delay_those_of_others(make: Sessions) -> None:
    now = datetime.now(UTC)
    while True:  # others' tickets of this database
        async with transaction(make) as session:
            if not await promises.sweep(session, at=now, limit=1_000):
                break
    large, *small = [await build.client(make, contacts=0) for _ in range(6)]
    earlier = now - timedelta(hours=1)
    await lay_down(make, [large], [earlier] * 300, at=earlier - timedelta(seconds=1))
    await lay_down(make, small, [now] * len(small), at=now - timedelta(seconds=1))
    async with transaction(make) as session:
        due = await promises.due(session, at=datetime.now(UTC), limit=8)
        assert await promises.sweep(session, at=datetime.now(UTC), limit=8) == 8
    late = select(Promise.tenant_id).where(Promise.state == State.LATE, Promise.decided_at <= now)
    async with make() as session:
        fallen = set(await session.scalars(late))
    others = {world.tenant.id for world in small}
    assert others <= fallen
    assert others <= {each.tenant_id for each in due}
