"""Periodic work about anomalies: scan the series of accounts whose day is over."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import anomalies
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def scan_series(work: WorkContext, limit: int) -> int:
    """Scan accounts whose last whole day was not scanned; return how many there were."""
    return await scan_due(work.make, at=datetime.now(UTC), limit=limit)


async def scan_due(make: Sessions, *, at: datetime, limit: int) -> int:
    """Scan the accounts that are due, each in its own transaction; return how many were due."""
    async with make() as session:
        due = await anomalies.accounts_to_scan(session, at=at, limit=limit)

    async def scan(session: AsyncSession, account: Subject) -> None:
        await anomalies.scan_account(session, account.id, at=at)

    await attempt_each(make, anomalies.PART, due, scan)
    return len(due)
