"""A cold copy of the cluster is put back: same name, same timeline, and yet a new epoch before anything is numbered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import delete, func, select, update

from domain.core import epoch, high_water, sequencing
from domain.core.db import Sessions
from domain.core.ledger import LedgerHead, LedgerRow
from realtime.tasks import end
from tests import facts
from tests.workers.test_relay import all_numbered
from workers.main import for_ever
from workers.queue import Queue
from workers.relay import Relay

pytestmark = pytest.mark.anyio


class Installation:
    """A ledger with its relay and what is noted outside the database."""

    def __init__(self, system_url: str, redis_url: str, redis: Redis, make: Sessions) -> None:
        self.system_url, self.redis_url, self.redis, self.make = system_url, redis_url, redis, make

    @asynccontextmanager
    async def relaying(self, noted_in: Path) -> AsyncIterator[None]:
        """A relay that leads, for the length of a block."""
        async with self.make() as session:
            name = await sequencing.ledger_name(session)
        queue = Queue(self.redis_url, name)
        relay = Relay(self.system_url, self.make, self.redis, queue, name, noted_in=noted_in)
        task = asyncio.create_task(for_ever("relay", relay.run))
        try:
            await facts.until(lambda: relay.leads)
            yield
        finally:
            await end(task)
            await queue.close()

    async def head(self) -> int:
        """The highest number given."""
        async with self.make() as session:
            return await sequencing.last_seq(session)

    async def epochs(self) -> int:
        """How many epochs there are."""
        async with self.make() as session:
            return await session.scalar(select(func.count()).select_from(epoch.LedgerEpoch)) or 0

    async def noted(self, path: Path) -> None:
        """Wait until the newest fact is noted."""
        newest = await self.head()
        await facts.until(
            lambda: (found := high_water.read(path)) is not None and found.seq >= newest
        )


@pytest.fixture
def installation(system_url: str, redis_url: str, redis: Redis, make: Sessions) -> Installation:
    return Installation(system_url, redis_url, redis, make)


async def go_back_to(owner_url: str, tenant_id: UUID, seq: int) -> None:
    """Make the ledger what it was: as when the files of the cluster are replaced by older ones."""
    async with facts.tampering(owner_url) as session:
        await session.execute(delete(LedgerRow).where(LedgerRow.seq > seq))
        last = (
            await session.execute(
                select(LedgerRow.seq, LedgerRow.hash)
                .where(LedgerRow.tenant_id == tenant_id)
                .order_by(LedgerRow.seq.desc())
                .limit(1)
            )
        ).one()
        await session.execute(
            update(LedgerHead)
            .where(LedgerHead.tenant_id == tenant_id)
            .values(seq=last.seq, hash=last.hash)
        )
        await session.commit()


async def test_a_restored_cold_copy_begins_an_epoch_although_nobody_brings_a_cursor(
    installation: Installation, owner_url: str, tmp_path: Path
) -> None:
    make, path = installation.make, tmp_path / "data" / "ledger.json"
    whom = await facts.client(make)
    async with installation.relaying(path):
        await facts.note(make, whom, 1, 2, 3)
        await all_numbered(make)
        copied = await installation.head()
        await facts.note(make, whom, 4, 5, 6)
        await all_numbered(make)
        await installation.noted(path)
    first = await installation.epochs()
    async with installation.relaying(path):
        assert await installation.epochs() == first, "a restart is no restore"
    await go_back_to(owner_url, whom.actor.tenant_id, copied)
    async with installation.relaying(path):
        assert await installation.epochs() == first + 1
        await all_numbered(make)
        await installation.noted(path)
    async with make() as session:
        told = await session.scalar(
            select(LedgerRow.body).where(
                LedgerRow.tenant_id == whom.actor.tenant_id, LedgerRow.kind == "ledger.restored"
            )
        )
    assert told is not None
    assert "restored copy" in told["reason"]
    async with installation.relaying(path):
        assert await installation.epochs() == first + 1, "one restore, one epoch"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"seq": "x"}', b"\xff\xfe"])
async def test_a_note_that_cannot_be_read_says_nothing(
    installation: Installation, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "ledger.json"
    whom = await facts.client(installation.make)
    async with installation.relaying(path):
        await facts.note(installation.make, whom, 1)
        await all_numbered(installation.make)
    known = await installation.epochs()
    path.write_bytes(content)
    async with installation.relaying(path):
        assert await installation.epochs() == known
        await facts.note(installation.make, whom, 2)
        await all_numbered(installation.make)
        await installation.noted(path)
    assert path.stat().st_mode & 0o077 == 0
