"""Internal objectives in the period of a report: figures for the company beside the report, never in it."""

from datetime import time, timedelta
from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements.model import PromiseKind
from domain.promises.model import Promise, State
from domain.reports.content import Content
from domain.reports.model import Report
from domain.reports.periods import instant_of


class InternalFigures(NamedTuple):
    """How often an internal objective was met in the period of a report, as known now."""

    kind: PromiseKind
    name: str
    kept: int
    late: int


async def internal_figures(session: AsyncSession, report: Report) -> list[InternalFigures]:
    """Count the internal objectives that were decided in the period of a report, by name."""
    zone = msgspec.convert(report.content, Content).zone
    begin = instant_of(report.first_on, time(), zone)
    end = instant_of(report.last_on + timedelta(days=1), time(), zone)
    kept = func.count().filter(Promise.state == State.KEPT)
    found = await session.execute(
        select(Promise.kind, Promise.name, kept, func.count() - kept)
        .where(
            Promise.account_id == report.account_id,
            Promise.internal,
            Promise.decided_at >= begin,
            Promise.decided_at < end,
        )
        .group_by(Promise.kind, Promise.name)
        .order_by(Promise.name, Promise.kind)
    )
    return [InternalFigures(*row) for row in found]
