"""Release a unit from promises that are no longer needed and whose class knows no cancelling."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements
from domain.access import Actor
from domain.agreements.model import PromiseKind
from domain.promises.actions import evaluate
from domain.promises.model import Promise, PromiseWatch


async def release(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    kinds: Collection[PromiseKind],
    *,
    at: datetime,
) -> list[Promise]:
    """Release a unit from its promises of some kinds: those are cancelled without a verdict."""
    watch = await session.scalar(
        select(PromiseWatch).where(PromiseWatch.unit_id == unit_id).with_for_update(key_share=True)
    )
    if watch is not None:
        terms = await agreements.terms_by_id(session, watch.term_ids)
        watch.term_ids = [each for each in watch.term_ids if terms[each].kind not in kinds]
        await session.flush()
    return await evaluate(session, actor, unit_id, at=at)
