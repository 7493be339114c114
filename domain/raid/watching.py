"""Find open entries that were not reviewed by the day of their review, and record each once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.raid.events import RaidReviewLate
from domain.raid.model import RaidEntry

PART = "raid reviews"
_WAITING = (
    RaidEntry.closed_at.is_(None),
    RaidEntry.review_late_at.is_(None),
    RaidEntry.review_due_at.is_not(None),
)
DUE: tuple[WakeUp, ...] = (
    DueColumn(
        RaidEntry.review_due_at, *_WAITING, ~is_deferred(PART, RaidEntry.id), by_company=True
    ),
)


async def reviews_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select open entries past their review: the companies alternately, the longest overdue of each first."""
    turn = rank_of(RaidEntry.tenant_id, RaidEntry.review_due_at, RaidEntry.id)
    found = await session.execute(
        select(RaidEntry.tenant_id, RaidEntry.id)
        .where(*_WAITING, RaidEntry.review_due_at < at, ~is_deferred(PART, RaidEntry.id, at=at))
        .order_by(turn, RaidEntry.review_due_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_review(
    session: AsyncSession, entry_id: UUID, *, at: datetime
) -> RaidEntry | None:
    """Record that a review is late; None when another worker has the entry, or it is not."""
    row = await session.scalar(
        select(RaidEntry)
        .where(RaidEntry.id == entry_id, *_WAITING, RaidEntry.review_due_at < at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if row is None or row.review_due_at is None:
        return None
    row.review_late_at = row.review_due_at
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    tx.record(
        RaidReviewLate(
            account_id=row.account_id,
            subject_id=row.id,
            at=row.review_due_at,
            raid_kind=row.kind,
            review_due_at=row.review_due_at,
            internal=row.internal,
        )
    )
    await session.flush()
    return row
