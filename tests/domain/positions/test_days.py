"""Fixes lie in one table a day; days are made ahead and dropped by the system, and by nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain import positions
from domain.core.db import Sessions, connect, sessions, transaction

AT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
DAYS = "SELECT relname FROM pg_class WHERE relispartition AND relname LIKE 'fix!_2026%' ESCAPE '!' AND relkind = 'r'"


async def days(make: Sessions) -> list[str]:
    async with make() as session:
        return sorted(await session.scalars(text(DAYS)))


async def test_days_are_made_two_ahead_and_dropped_past_their_retention(make: Sessions) -> None:
    async with transaction(make) as session:
        await positions.ensure_partitions(session, at=AT, keep=timedelta(days=5))
        await positions.ensure_partitions(session, at=AT, keep=timedelta(days=5))
    made = await days(make)
    async with transaction(make) as session:
        dropped = await positions.drop_partitions(session, at=AT, keep=timedelta(days=2))
    assert (made[0], made[-1], len(made)) == ("fix_20260315", "fix_20260322", 8)
    assert dropped == 3
    assert (await days(make))[0] == "fix_20260318"


async def test_the_login_of_requests_neither_makes_nor_drops_days(
    make: Sessions, database_url: str
) -> None:
    engine = connect(database_url)
    for act in (positions.ensure_partitions, positions.drop_partitions):
        with pytest.raises(DBAPIError, match="only the system does this"):
            async with transaction(sessions(engine)) as session:
                await act(session, at=AT, keep=timedelta(days=2))
    await engine.dispose()
