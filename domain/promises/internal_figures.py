"""How often internal objectives were met: figures for the company beside the contractual ones, never among them."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.agreements.model import PromiseKind
from domain.promises.model import Promise, PromiseWatch, State


class InternalFigures(NamedTuple):
    """How often an internal objective was met in a period, as known now."""

    kind: PromiseKind
    name: str
    kept: int
    late: int


async def internal_figures(
    session: AsyncSession,
    account_id: UUID,
    *,
    from_at: datetime,
    until_at: datetime,
    site_id: UUID | None = None,
) -> list[InternalFigures]:
    """Count the internal objectives of an account, or of one of its sites, decided in [from_at, until_at), by name."""
    kept = func.count().filter(Promise.state == State.KEPT)
    query = (
        select(Promise.kind, Promise.name, kept, func.count() - kept)
        .where(
            Promise.account_id == account_id,
            Promise.internal,
            Promise.decided_at >= from_at,
            Promise.decided_at < until_at,
        )
        .group_by(Promise.kind, Promise.name)
        .order_by(Promise.name, Promise.kind)
    )
    if site_id is not None:
        there = select(PromiseWatch.unit_id).where(PromiseWatch.site_id == site_id)
        query = query.where(Promise.unit_id.in_(there))
    return [InternalFigures(*row) for row in await session.execute(query)]
