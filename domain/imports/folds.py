"""Rows of a log in the repeated hour of autumn: their order decides which of the two it was."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.imports.mapping import Profile

_ROWS = """
SELECT key, number, row_order, coalesce(row_at, opened_at) AS at, row_again AS again FROM staged_row
WHERE key IN (SELECT key FROM staged_row WHERE row_again IS NOT NULL)
ORDER BY key, row_order, number
"""
_SECOND = """
UPDATE staged_row SET row_at = row_again WHERE number = ANY(:numbers)
"""
_TOLD = """
UPDATE staged_told t SET at = r.row_again FROM staged_row r
WHERE r.number = ANY(:numbers) AND t.number = r.number AND t.at = r.row_at
"""


class Wall(NamedTuple):
    """A row's time, and the second one when its wall clock occurs twice."""

    number: int
    at: datetime
    again: datetime | None


def second_hour(rows: Sequence[Wall]) -> list[int]:
    """Return the rows of the second hour: with them, the times never go back from row to row.

    `rows` are in file order; a file with the newest row first is read from its end. Rows in no order stay in the first
    hour.
    """
    plain = [row.at for row in rows if row.again is None]
    rising = sum(a < b for a, b in pairwise(plain))
    falling = sum(a > b for a, b in pairwise(plain))
    if rising and falling:
        return []
    return _resolve(rows[::-1] if falling else rows)


def _resolve(rows: Iterable[Wall]) -> list[int]:
    found, latest = [], None
    for row in rows:
        at = row.at
        if row.again is not None and latest is not None and at < latest <= row.again:
            found.append(row.number)
            at = row.again
        latest = at if latest is None else max(latest, at)
    return found


async def settle(session: AsyncSession, profile: Profile) -> None:
    """Move staged rows, and the facts with their time, to the second hour where their order shows it."""
    if profile.log is None:
        return
    rows = (await session.execute(text(_ROWS))).all()
    numbers: list[int] = []
    for _, group in groupby(rows, key=lambda row: row.key):
        own = list(group)
        walls = [Wall(row.number, row.at, row.again) for row in own]
        numbers += second_hour(walls) if profile.log.order is None else _resolve(walls)
    if numbers:
        await session.execute(text(_TOLD), {"numbers": numbers})
        await session.execute(text(_SECOND), {"numbers": numbers})
