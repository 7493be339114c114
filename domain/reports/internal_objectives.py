"""Internal objectives in the period of a report: figures for the company beside the report, never in it."""

from datetime import time, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.promises import InternalFigures
from domain.reports.content import Content
from domain.reports.model import Report
from domain.reports.periods import instant_of


async def internal_figures(session: AsyncSession, report: Report) -> list[InternalFigures]:
    """Count the internal objectives that were decided in the period of a report, by name."""
    zone = msgspec.convert(report.content, Content).zone
    return await promises.internal_figures(
        session,
        report.account_id,
        from_at=instant_of(report.first_on, time(), zone),
        until_at=instant_of(report.last_on + timedelta(days=1), time(), zone),
    )
