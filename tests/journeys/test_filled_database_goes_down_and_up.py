"""A filled database goes down to before promises of other units than incidents, and up again: all that fits is there.

The demo company: four weeks of incidents, verdicts, credits, invoices and reports, and a year of surveys.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, select

from api.demo import seed
from api.embedded import Servers
from api.support import migrate
from domain import recovery
from domain.access import Actor, Tx
from domain.core.db import connect, sessions, transaction
from domain.recovery import RecoveryCase, RecoveryStep, Size
from tests.conftest import copied, superuser

pytestmark = pytest.mark.slow

BEFORE = "0035"
"""The last revision in which promises, watches and credits were about incidents only."""
WITHOUT_INCIDENT = {"recovery_case", "recovery_step"}
"""Cases about an answer to a survey have no place in the tables before, as their revision says."""
Table = dict[str, dict[str, Any]]


@pytest.fixture
def filled_url(pair: Servers) -> Iterator[str]:
    """A database of this test's own with the demo company, as the login that owns its tables."""
    name = "waarborg_down_and_up"
    url = copied(pair, name)

    async def fill() -> None:
        engine = connect(make_url(url).set(username="waarborg_system").render_as_string(False))
        make, at = sessions(engine), datetime.now(UTC)
        await seed.seed(make, at=at, tell=lambda _done, _of: None)
        async with transaction(make) as session:
            case = await session.scalar(select(RecoveryCase).limit(1))
            owner_id = await session.scalar(select(RecoveryStep.owner_id).limit(1))
            assert case is not None
            assert owner_id is not None
            tx = Tx(session, Actor.system(case.tenant_id, "test"), at)
            await recovery.open_case(
                tx,
                size=Size.MEDIUM,
                summary="Without an incident",
                owner_id=owner_id,
                account_id=case.account_id,
            )
        await engine.dispose()

    async def drop() -> None:
        connection = await asyncpg.connect(superuser(pair))
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()

    asyncio.run(fill())
    yield url
    asyncio.run(drop())


async def contents(pair: Servers, url: str) -> dict[str, Table]:
    """Every table with every row, by its key, as whoever is stopped by no row-level security."""
    whole = make_url(superuser(pair)).set(database=make_url(url).database)
    connection = await asyncpg.connect(whole.render_as_string(hide_password=False))
    try:
        names = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        found: dict[str, Table] = {}
        for (name,) in names:
            rows = await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{name}" t')
            parsed = [json.loads(row[0]) for row in rows]
            found[name] = {str(each.get("id") or _digest(each)): each for each in parsed}
            assert len(found[name]) == len(parsed), name
        return found
    finally:
        await connection.close()


def _digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def columns(table: Table) -> set[str]:
    return {name for row in table.values() for name in row}


def test_all_rows_of_a_filled_database_are_there_after_going_down_and_up(
    pair: Servers, filled_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    full = asyncio.run(contents(pair, filled_url))
    assert len(full["promise"]) > 500
    assert len(full["credit"]) > 10
    assert len(full["survey_answer"]) > 50

    migrate.downgrade(filled_url, BEFORE)
    down = asyncio.run(contents(pair, filled_url))
    migrate.upgrade(filled_url)
    migrate.check(filled_url)
    up = asyncio.run(contents(pair, filled_url))

    assert set(up) == set(full)
    assert any(each["incident_id"] is None for each in full["recovery_case"].values())
    kept, gone = [], []
    for name in full:
        before, after = full[name], up[name]
        if name not in down:  # its table is newer than the promises of units
            assert after == {}, name
            gone.append(f"{name} ({len(before)})")
            continue
        if name in WITHOUT_INCIDENT:
            cases = full["recovery_case"]
            before = {
                key: row
                for key, row in before.items()
                if cases[row.get("case_id", key)]["incident_id"] is not None
            }
        assert set(after) == set(before), name
        newer = columns(before) - columns(down[name])
        for key, row in before.items():
            off = {
                column: (row[column], after[key][column])
                for column in row
                if after[key][column] != row[column]
            }
            # Columns that are newer come back as a row that nobody wrote them into.
            assert set(off) <= newer - {
                "unit_id",
                "unit_kind",
                "incident_id",
                "began_at",
                "site_id",
            }, (name, off)
        kept.append(f"{name} {len(before)}")
    for name in ("promise", "promise_watch", "credit"):
        was = {str(row["id"]) for row in down[name].values()}
        assert was == set(full[name])
    with capsys.disabled():
        print(f"\nthe same rows: {', '.join(kept)}\ngone with their tables: {', '.join(gone)}")  # noqa: T201
