"""The import says when everything is there: numbered by the relay, measured, statistics fresh."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from domain.core.db import Sessions
from domain.core.ledger import LedgerRow
from domain.imports import left
from domain.quality import Look
from tests.chains import verify_chain
from tests.imports.program import Program
from workers import relay

pytestmark = pytest.mark.anyio

CASES = 6_000


@pytest.fixture
def program(system_url: str, owner_url: str, redis_url: str, tmp_path: Path) -> Program:
    return Program(system_url, owner_url, redis_url, tmp_path)


@asynccontextmanager
async def working(program: Program, make: Sessions) -> AsyncIterator[None]:
    """A worker process whose relay leads, as long as the block runs."""
    process = program.start("worker")
    try:
        async with asyncio.timeout(120), make() as session:
            while not await relay.is_led(session):
                assert process.poll() is None
                await asyncio.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def cases(count: int) -> str:
    rows = (
        f"c{n},2024-07-01 10:00,2024-07-01 10:{n % 50:02d},2024-07-02 11:00,A door"
        for n in range(count)
    )
    return "\n".join(["case,opened,answered,closed,what", *rows])


def test_without_a_worker_it_says_what_is_left_to_do(program: Program) -> None:
    profile = program.profile()
    done = program.load(cases(3), profile)
    assert (done["tickets_new"], done["complete"]) == (3, False)
    again = (
        "import",
        "incidents",
        program.folder / "cases.csv",
        "--profile",
        profile,
        "--tenant",
        program.tenant,
    )
    said = program.run(*again)
    assert "facts to number, 1 clients to measure" in said
    assert "No worker is running: `waarborg up` or `waarborg worker` does it." in said
    assert "Workers do that by themselves." in program.run(*again, "--no-wait")


@pytest.mark.slow
async def test_with_a_worker_it_waits_until_everything_is_numbered_and_measured(
    program: Program, make: Sessions
) -> None:
    async with working(program, make):
        done = await asyncio.to_thread(program.load, cases(CASES), program.profile())
    sys.stdout.write(f"{done}\n")
    assert (done["tickets_new"], done["complete"]) == (CASES, True)
    tenant_id = UUID(done["tenant_id"])
    async with make() as session:
        assert (await left(session, tenant_id)).is_nothing
        # A live fact that the worker recorded just before it stopped has no number yet.
        numbered = select(func.max(LedgerRow.seq), func.count(LedgerRow.seq))
        top, count = (await session.execute(numbered)).one()
        chain = await verify_chain(session, tenant_id)
        measured = await session.scalars(
            select(Look.measured_at).where(Look.tenant_id == tenant_id)
        )
        known = await session.scalar(
            text("SELECT reltuples FROM pg_class WHERE oid = 'ledger'::regclass")
        )
    assert top == count  # dense
    assert chain.holds
    assert chain.facts >= 5 * CASES
    assert all(measured)
    assert known is not None
    assert known >= 0.9 * 5 * CASES  # the planner's statistics are those of after the import
