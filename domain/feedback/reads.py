"""The share of negative texts by month, of an account or of all, and of a theme or of all."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts.model import Tenant
from domain.feedback.model import TextSentiment
from domain.sentiment import PolarityClass, Theme
from domain.surveys import Estimate, share

MOST_MONTHS = 60
FEWEST = 5
"""Texts below which a month has no share: with fewer, an anonymous answer could be told from its share."""


@dataclass(frozen=True, slots=True)
class SentimentMonth:
    """Texts of one month, and how many are negative; no figures below the fewest."""

    month_on: date
    n: int
    negative: int | None
    share: Estimate | None


async def sentiment_trend(
    session: AsyncSession,
    actor: Actor,
    *,
    account_id: UUID | None = None,
    theme: Theme | None = None,
) -> list[SentimentMonth]:
    """Count texts by the month in which they were written, the oldest first, at most five years."""
    tenant = await session.get_one(Tenant, actor.tenant_id)
    row = TextSentiment
    month = func.date_trunc("month", func.timezone(tenant.time_zone, row.written_at))
    reach = or_(actor.scope(row), and_(row.tenant_id == actor.tenant_id, row.account_id.is_(None)))
    query = (
        select(
            month.label("month"),
            func.count().label("n"),
            func.count().filter(row.label == PolarityClass.NEGATIVE).label("negative"),
        )
        .where(reach)
        .group_by(month)
        .order_by(month)
    )
    if account_id is not None:
        query = query.where(row.account_id == account_id)
    if theme is not None:
        query = query.where(row.themes.contains([str(theme)]))
    found = []
    for at, n, negative in await session.execute(query):
        is_shown = n >= FEWEST
        found.append(
            SentimentMonth(
                at.date(),
                n,
                negative if is_shown else None,
                share(negative, n) if is_shown else None,
            )
        )
    return found[-MOST_MONTHS:]
