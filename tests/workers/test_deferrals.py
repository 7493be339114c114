"""Work that fails is deferred alone: 100 bad agreements of one company hold up nobody else."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, compensation
from domain.access import Actor, Tx
from domain.compensation.actions import lock_agreement
from domain.compensation.model import ClosedMonth
from domain.core.db import Sessions, transaction
from domain.core.deferral import (
    LOCKED,
    Deferral,
    Subject,
    clear,
    defer,
    deferred,
    wait_for_lock,
)
from domain.core.settings import Settings
from tests import build, facts
from tests.workers.refusing import refuse
from workers.periodic import WorkContext, attempt, repeat
from workers.schedule import schedule

pytestmark = pytest.mark.anyio


async def closed_of(make: Sessions, world: build.World) -> int:
    query = select(func.count()).where(ClosedMonth.agreement_id == world.agreement.id)
    async with make() as session:
        return await session.scalar(query) or 0


async def sign_more(make: Sessions, world: build.World, count: int) -> None:
    async with transaction(make) as session:
        for n in range(count):
            await agreements.sign(
                Tx(session, Actor.system(world.tenant.id, "test"), build.T0),
                world.account.id,
                reference=f"bad-{n}",
                title="Objectbeveiliging",
                signed_on=date(2025, 12, 1),
                in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
                terms=build.terms_draft(world.calendar),
            )


async def test_a_hundred_bad_agreements_of_one_company_stop_no_other(
    make: Sessions, settings: Settings, owner_url: str
) -> None:
    bad = await build.client(make, contacts=0)
    await sign_more(make, bad, 99)
    good = await build.client(make, contacts=0)
    await refuse(owner_url, bad.tenant.id, "closed_month", "INSERT")
    [job] = [each for each in schedule() if each.name == "months"]
    working = asyncio.create_task(repeat(job, WorkContext(make, settings)))
    try:
        async with asyncio.timeout(60):
            while not await closed_of(make, good):  # noqa: ASYNC110 - the worker tells nobody
                await asyncio.sleep(0.1)
            while True:
                async with make() as session:
                    waiting = await deferred(session, Deferral.tenant_id == bad.tenant.id)
                if len(waiting) == 100:
                    break
                await asyncio.sleep(0.1)
    finally:
        working.cancel()
    assert await closed_of(make, bad) == 0
    assert {each.part for each in waiting} == {"months"}
    assert all(each.error for each in waiting)
    async with make() as session:
        over = await compensation.months_over(session, at=datetime.now(UTC), limit=500)
    assert not [each for each in over if each.tenant_id == bad.tenant.id]


async def test_attempts_come_after_ten_seconds_doubling_to_an_hour(make: Sessions) -> None:
    whom = await facts.client(make)
    subject = Subject(whom.actor.tenant_id, whom.account_id)
    at = facts.T0
    pauses = []
    for _ in range(12):
        async with transaction(make) as session:
            until = await defer(session, "months", subject, error="no", at=at)
        pauses.append((until - at).total_seconds())
    assert pauses[:4] == [10, 20, 40, 80]
    assert pauses[-1] == 3600
    async with transaction(make) as session:
        await clear(session, "months", subject.id)
        assert not await deferred(session, Deferral.subject_id == subject.id)


async def test_what_fails_leaves_its_error_and_what_succeeds_clears_it(make: Sessions) -> None:
    whom = await facts.client(make)
    subject = Subject(whom.actor.tenant_id, whom.account_id)

    async def fail(_session: object) -> None:
        raise RuntimeError("a price is missing")

    async def succeed(_session: object) -> None:
        return None

    assert not await attempt(make, "invoices", subject, fail)
    async with make() as session:
        [row] = await deferred(session, Deferral.subject_id == subject.id)
    assert (row.part, row.attempts, row.error) == (
        "invoices", 1, "RuntimeError: a price is missing",
    )  # fmt: skip
    assert await attempt(make, "invoices", subject, succeed)
    async with make() as session:
        assert not await deferred(session, Deferral.subject_id == subject.id)


async def test_a_month_whose_agreement_is_locked_has_not_failed_and_is_closed_soon_after(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=0)
    subject = Subject(world.tenant.id, world.agreement.id)
    mine = Deferral.subject_id == subject.id

    async def close(session: AsyncSession) -> None:
        await session.execute(text("SET LOCAL lock_timeout = '50ms'"))
        actor = Actor.system(world.tenant.id, "test")
        await compensation.close_month(
            Tx(session, actor, datetime.now(UTC)), subject.id, date(2026, 1, 1)
        )

    async def due(at: datetime) -> bool:
        async with make() as session:
            over = await compensation.months_over(session, at=at, limit=5_000)
        return any(each.agreement_id == subject.id for each in over)

    async with transaction(make) as session:
        await lock_agreement(session, subject.id)
        assert not await attempt(make, "months", subject, close)
        now = datetime.now(UTC)
        assert not await due(now), "others are served meanwhile"
        assert await due(now + LOCKED)
    async with make() as session:
        assert not await deferred(session, mine), "nobody is told of a failure"
        waiting = await session.scalar(select(Deferral).where(mine))
    assert waiting is not None
    assert (waiting.attempts, waiting.error) == (0, "")
    assert await attempt(make, "months", subject, close)
    assert await closed_of(make, world) == 1
    async with make() as session:
        assert await session.scalar(select(Deferral).where(mine)) is None


async def test_a_lock_between_failures_keeps_their_count_and_error(make: Sessions) -> None:
    whom = await facts.client(make)
    subject = Subject(whom.actor.tenant_id, whom.account_id)
    mine = Deferral.subject_id == subject.id
    async with transaction(make) as session:
        await wait_for_lock(session, "months", subject, at=facts.T0)
        await defer(session, "months", subject, error="no", at=facts.T0 + LOCKED)
        until = await wait_for_lock(session, "months", subject, at=facts.T0 + 2 * LOCKED)
    async with make() as session:
        [row] = await deferred(session, mine)
    assert (row.attempts, row.error, row.since) == (1, "no", facts.T0 + LOCKED)
    assert row.next_try_at == until
    async with transaction(make) as session:
        await defer(session, "months", subject, error="still no", at=until)
    async with make() as session:
        [row] = await deferred(session, mine)
    assert (row.attempts, row.since) == (2, facts.T0 + LOCKED)
