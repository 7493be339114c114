"""Quality follows the facts: measured and told within seconds, once however many facts there were."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from domain import archive, incidents, quality
from domain.access import Tx
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.quality import Measurement
from tests import build
from tests.build import World
from tests.workers.conftest import Working


async def burst(make: Sessions, world: World, *, count: int, at: datetime) -> None:
    for n in range(count):
        ticket = await build.incident(make, world, at=at + timedelta(seconds=n))
        async with transaction(make) as session:
            tx = Tx(session, world.staff, at + timedelta(seconds=n + 30))
            await incidents.acknowledge(tx, ticket.id)
            await incidents.resolve(
                tx.as_of(at + timedelta(seconds=n + 40)), ticket.id, resolution="Done"
            )


async def eventually(make: Sessions, query: Any, wanted: int, seconds: float) -> float:
    """Seconds until a count is reached."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(seconds):
        while True:
            async with make() as session:
                if (await session.scalar(query) or 0) >= wanted:
                    return loop.time() - began
            await asyncio.sleep(0.05)


async def test_verdicts_are_measured_and_told_within_five_seconds(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    now = datetime.now(ZoneInfo(world.account.time_zone))
    began = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    at = max(now - timedelta(minutes=10), began).astimezone(
        UTC
    )  # in the month that is measured now
    n = select(Measurement.n).where(
        Measurement.account_id == world.account.id,
        Measurement.window == "month",
        Measurement.site_id.is_(None),
        Measurement.term_id.is_(None),
    )
    told = (
        select(func.count())
        .select_from(LedgerRow)
        .where(LedgerRow.account_id == world.account.id, LedgerRow.kind == "quality.changed")
    )
    async with working():
        await burst(make, world, count=1, at=at)
        alone_s = await eventually(make, n, 3, 60)
        async with make() as session:
            before = await session.scalar(told) or 0
        await burst(make, world, count=20, at=at)

        took = await eventually(make, n, 63, 60)

        async with make() as session:
            facts = (await session.scalar(told) or 0) - before
            look = await session.get_one(quality.Look, world.account.id)
    assert took < 20 * alone_s
    assert (
        2 <= facts < 100
    )  # account and site each time: 100 facts were gathered, not followed one by one
    assert look.measured_at is not None


async def test_an_account_is_sealed_on_the_way(make: Sessions, working: Working) -> None:
    world = await build.client(make)
    at = datetime.now(UTC)
    await burst(make, world, count=2, at=at - timedelta(days=70))
    async with working():
        await burst(make, world, count=1, at=at - timedelta(minutes=5))
        sealed = (
            select(func.count())
            .select_from(archive.EventSegment)
            .where(archive.EventSegment.account_id == world.account.id)
        )
        await eventually(make, sealed, 4, 60)
    async with make() as session:
        head = await session.get_one(archive.Sealing, world.account.id)
    assert head.until_at == archive.until(head.sealed_at)
