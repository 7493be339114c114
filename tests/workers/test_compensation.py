"""Money follows the facts by itself: credits, counter-entries, closed months, invoices with their notes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from domain import invoices, journal, promises
from domain.access import Actor, Tx
from domain.agreements import Priority
from domain.compensation import ClosedMonth, Credit
from domain.compensation.actions import KEPT
from domain.compensation.rules import next_month
from domain.core.db import Sessions, transaction
from domain.core.ledger import record
from domain.incidents.events import Acknowledged
from domain.invoices import Invoice, Party
from domain.journal import Book, JournalEntry
from tests import build
from tests.build import World
from tests.workers.conftest import Working


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - another connection does it
            await asyncio.sleep(0.1)


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def test_a_worker_grants_a_credit_and_takes_it_back_when_a_late_fact_says_so(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    opened_at = datetime.now(UTC) - timedelta(minutes=90)

    async def reasons() -> list[str]:
        async with make() as session:
            found = await session.scalars(
                select(JournalEntry.reason)
                .where(JournalEntry.account_id == world.account.id)
                .order_by(JournalEntry.id)
            )
            return list(found)

    async def so_many(n: int) -> bool:
        return len(await reasons()) >= n

    async with working():
        ticket = await build.incident(make, world, priority=Priority.HIGH, at=opened_at)
        await until(lambda: so_many(1))
        async with transaction(make) as session:
            told = Acknowledged(
                account_id=world.account.id,
                subject_id=ticket.id,
                at=opened_at + timedelta(minutes=5),
            )
            record(session, system(world), told)
            await session.flush()
            await promises.evaluate(session, system(world), ticket.id, at=datetime.now(UTC))
        await until(lambda: so_many(2))
    assert await reasons() == ["The promise was broken.", KEPT]
    async with make() as session:
        owed = await journal.balance(
            session, system(world), world.account.id, Book.CLIENT_CREDIT, currency="EUR"
        )
        count = select(func.count()).where(Credit.account_id == world.account.id)
        assert (owed, await session.scalar(count)) == (0, 1)


async def test_two_workers_close_every_month_once_and_bill_those_that_are_billed_here(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    this_month = datetime.now(ZoneInfo(world.account.time_zone)).date().replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    before = (last_month - timedelta(days=1)).replace(day=1)
    async with transaction(make) as session:
        party = Party("B.V.", "Dam 1", "1012 JS", "Amsterdam")
        now = datetime.now(UTC)
        await invoices.set_party(Tx(session, system(world), now), None, party=party)
        await invoices.set_party(
            Tx(session, system(world), now), world.account.id, party=party, bill_from_on=before
        )

    async def billed() -> list[Invoice]:
        async with make() as session:
            found = await session.scalars(
                select(Invoice)
                .where(Invoice.account_id == world.account.id)
                .order_by(Invoice.number)
            )
            return list(found)

    async def both() -> bool:
        return len(await billed()) == 2

    async with working(), working():
        await until(both, seconds=90)
    found = await billed()
    assert [invoice.period_from_on for invoice in found] == [before, last_month]
    year = found[0].issued_on.year
    assert [invoice.number for invoice in found] == [f"F{year}-00001", f"F{year}-00002"]
    async with make() as session:
        months = await session.scalars(
            select(ClosedMonth.month_on)
            .where(ClosedMonth.agreement_id == world.agreement.id)
            .order_by(ClosedMonth.month_on)
        )
        closed = list(months)
    expected = [date(2026, 1, 1)]
    while expected[-1] < last_month:
        expected.append(next_month(expected[-1]))
    assert closed == expected
