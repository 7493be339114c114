"""An import's facts are numbered in bulk: by indexes alone, in time proportional to their count, past nobody's news."""

import asyncio
import statistics
import sys
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core import sequencing
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.ledger import LedgerRow
from tests import facts
from tests.bench.numbering import spent
from tests.chains import verify_chain
from tests.workers.test_relay import Relaying, all_numbered, relaying
from workers.relay import MOST

__all__ = ["relaying"]

pytestmark = pytest.mark.anyio

IMPORTED = 20_000

# The same rows, numbered by nothing but the statement that the numbering needs, too.
_BARE = """
UPDATE ledger SET seq = placed.seq, hash = sha256('')
FROM (SELECT id, 1000000000 + row_number() OVER (ORDER BY id) AS seq FROM ledger WHERE seq IS NULL) placed
WHERE ledger.id = placed.id
"""
_READ = "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ledger'"


async def read_so_far(session: AsyncSession) -> tuple[int, int]:
    """Sequential scans of the ledger, and rows fetched from it by an index, of this connection."""
    scans, fetched = (await session.execute(text(_READ))).one()
    return scans, fetched or 0


@pytest.mark.parametrize("is_fresh", [False, True], ids=["stale statistics", "fresh statistics"])
async def test_numbering_beside_an_import_reads_what_it_numbers_and_no_more(
    make: Sessions, owner_url: str, is_fresh: bool
) -> None:
    imported = await facts.client(make)
    beside, other = await facts.sibling(make, imported), await facts.client(make)
    company = replace(imported, account_id=None)  # type: ignore[arg-type]
    await facts.number_all(make)
    await facts.import_past(make, imported, IMPORTED)
    for whom in (imported, beside, other, company):
        await facts.note(make, whom, *range(100))
    if is_fresh:
        async with facts.tampering(owner_url) as session:
            await session.execute(text("ANALYZE ledger"))
            await session.commit()
    for limit in (1_000, 5_000):
        async with transaction(make) as session:
            before = await read_so_far(session)
            await sequencing.assign_sequence(session, routes={}, due_at=facts.T0, limit=limit)
            after = await read_so_far(session)
        assert after[0] - before[0] == 0, "a sequential scan of the ledger"
        assert after[1] - before[1] <= 5 * limit
    await facts.number_all(make)


async def times_the_bare_statement(make: Sessions, system_url: str) -> float:
    """CPU of both processes to number an import, on one connection, by that of the bare statement for its rows."""
    imported = await facts.client(make)
    await facts.number_all(make)
    await facts.import_past(make, imported, IMPORTED)
    engine = connect(system_url, pool_size=1)
    alone = sessions(engine)
    began = await spent(alone)
    async with alone() as session:
        await session.execute(text(_BARE))
        await session.rollback()
    bare_s = await spent(alone) - began
    began = await spent(alone)
    while True:
        async with transaction(alone) as session:
            if not (
                await sequencing.assign_sequence(session, routes={}, due_at=facts.T0, limit=4_000)
            ).facts:
                break
    ours_s = await spent(alone) - began
    await engine.dispose()
    async with make() as session:
        chain = await verify_chain(session, imported.actor.tenant_id)
        top, count = (
            await session.execute(select(func.max(LedgerRow.seq), func.count(LedgerRow.seq)))
        ).one()
    sys.stdout.write(
        f"{IMPORTED:,} facts numbered at {IMPORTED / ours_s:,.0f} a CPU second;"
        f" bare UPDATE {IMPORTED / bare_s:,.0f}; {ours_s / bare_s:.1f} times as much\n"
    )
    assert (chain.holds, chain.facts, top) == (True, IMPORTED + 1, count)
    return ours_s / bare_s


async def test_an_import_is_numbered_in_a_small_multiple_of_the_bare_statement(
    make: Sessions, system_url: str
) -> None:
    """The least of three: this process' CPU includes a collection of all that other tests left."""
    ratios: list[float] = []
    while not ratios or (min(ratios) > 4 and len(ratios) < 3):
        ratios.append(await times_the_bare_statement(make, system_url))
    assert min(ratios) <= 4, ratios


async def test_news_of_another_company_overtakes_an_import_that_is_being_numbered(
    make: Sessions, relaying: Relaying
) -> None:
    imported, other = await facts.client(make), await facts.client(make)
    busy: list[float] = []
    passed: list[int] = []
    async with relaying():
        await all_numbered(make)
        quiet = [(await noted(make, other, n))[0] for n in range(10)]
        await facts.import_past(make, imported, 3 * IMPORTED)
        while True:
            async with make() as session:
                if (await sequencing.lag(session)).facts == 0:
                    break
            waited_s, behind = await noted(make, other, len(passed))
            busy.append(waited_s)
            passed.append(behind)
    sys.stdout.write(
        f"a live fact waits {statistics.median(quiet) * 1e3:.0f} ms with nothing else to number,"
        f" {statistics.median(busy) * 1e3:.0f} ms beside an import (at most {max(busy) * 1e3:.0f})\n"
    )
    assert len(passed) > 1, "the import was numbered before anything else could happen"
    # What was being numbered when it was committed, and the round that it is in itself.
    assert max(passed) <= 2 * MOST


async def noted(make: Sessions, whom: facts.Client, n: int) -> tuple[float, int]:
    """Commit a fact and wait for its number: seconds, and how many numbers were given before it since then."""
    async with make() as session:
        head = await sequencing.last_seq(session)
    began = time.perf_counter()
    [entry] = await facts.note(make, whom, n)
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                seq = await session.scalar(select(LedgerRow.seq).where(LedgerRow.id == entry.id))
            if seq is not None:
                return time.perf_counter() - began, seq - head
            await asyncio.sleep(0.005)
