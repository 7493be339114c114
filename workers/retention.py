"""Retention: publish forecasts every month, score those that are over, and label clients whose agreements ended."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain import retention
from domain.core.db import Sessions
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def watch_retention(work: WorkContext, limit: int) -> int:
    """Publish, score and label what is due."""
    return await look_at_retention(work.make, at=datetime.now(UTC), limit=limit)


async def look_at_retention(make: Sessions, *, at: datetime, limit: int = 20) -> int:
    """Look at what is due, each company and each account in its own transaction; return how many there were."""
    async with make() as session:
        ended = await retention.outcomes_due(session, at=at, limit=limit)

    async def label(session: AsyncSession, subject: Subject) -> None:
        await retention.label_end(session, subject.id, at=at)

    await attempt_each(make, "outcomes", ended, label)
    async with make() as session:
        over = await retention.forecasts_over(session, at=at, limit=limit)
        due = await retention.companies_due(session, at=at, limit=limit)

    async def score(session: AsyncSession, subject: Subject) -> None:
        await retention.score(session, subject.id, at=at)

    async def publish(session: AsyncSession, subject: Subject) -> None:
        await retention.publish_month(session, subject.id, at=at)

    await attempt_each(make, "forecasts scored", over, score)
    await attempt_each(make, "forecasts", due, publish)
    return max(len(ended), len(over), len(due))
