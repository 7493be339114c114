"""The relay hears of facts after their commit: without polling, whoever wrote them, and in no transaction of theirs."""

import asyncio
import time
from uuid import uuid4

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from domain.access import Actor
from domain.core import ledger_signal
from domain.core.db import Sessions, copy_rows, transaction
from domain.core.ledger import LedgerRow, record, shard_of
from tests import facts
from tests.workers.test_relay import Relaying, all_numbered, relaying

__all__ = ["relaying"]

pytestmark = pytest.mark.anyio

FACT = ("tenant_id", "account_id", "shard", "kind", "subject_id", "at", "origin", "actor", "body")


@pytest.fixture
def never_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that would look by itself only after the test has given up."""
    monkeypatch.setattr("workers.relay.POLL_S", 600.0)
    monkeypatch.setattr("workers.relay.BACKSTOP_S", 600.0)


async def numbered_soon(make: Sessions, within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        await all_numbered(make)


@pytest.mark.usefixtures("never_polling")
async def test_recorded_and_copied_facts_are_numbered_without_polling(
    make: Sessions, relaying: Relaying
) -> None:
    whom = await facts.client(make)
    actor: Actor = whom.actor
    await facts.number_all(make)
    async with relaying():
        await asyncio.sleep(0.5)  # the relay sleeps
        await facts.note(make, whom, 1)
        await numbered_soon(make)
        shard = shard_of(actor.tenant_id, whom.account_id)
        async with transaction(make) as session:
            await copy_rows(session, "ledger", FACT, [
                (actor.tenant_id, whom.account_id, shard, "test.noted", uuid4(), facts.T0, "live", "user:x", "{}")
            ])  # fmt: skip
        await numbered_soon(make)


@pytest.mark.usefixtures("never_polling")
async def test_writers_at_once_share_signals_and_none_is_left_behind(
    make: Sessions, relaying: Relaying
) -> None:
    writers = [await facts.client(make) for _ in range(8)]
    await facts.number_all(make)
    async with relaying():
        for _ in range(10):
            await asyncio.gather(*(facts.note(make, whom, 1) for whom in writers))
            await numbered_soon(make)


async def test_facts_whose_writer_ended_before_the_signal_are_found_by_polling(
    make: Sessions, relaying: Relaying
) -> None:
    whom = await facts.client(make)
    await facts.number_all(make)
    async with relaying():
        await all_numbered(make)
        async with make() as session:  # commits, and says nothing
            noted = facts.Noted(account_id=whom.account_id, subject_id=uuid4(), at=facts.T0, n=1)
            entry = record(session, whom.actor, noted)
            await session.commit()
        await numbered_soon(make)
    async with make() as session:
        assert await session.scalar(select(LedgerRow.seq).where(LedgerRow.id == entry.id))


async def test_no_trigger_of_the_ledger_notifies_inside_the_transaction(make: Sessions) -> None:
    sources = text(
        "SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE t.tgrelid = 'ledger'::regclass"
    )
    async with make() as session:
        assert not [each for each in await session.scalars(sources) if "notify" in each.lower()]


async def test_writers_do_not_wait_one_after_the_other_for_a_signal_that_cannot_be_sent(
    system_url: str,
) -> None:
    url = make_url(system_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    writers = []
    for _ in range(6):
        session = AsyncSession(engine)
        ledger_signal.announce(session)
        writers.append(session)
    began = time.monotonic()
    async with engine.connect():  # the only connection
        await asyncio.gather(*map(ledger_signal.send, writers))
    took_s = time.monotonic() - began
    assert took_s < 3 * ledger_signal.PATIENCE_S, "six would wait for six seconds"
    await engine.dispose()
