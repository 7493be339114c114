"""Find replies that were not sent by their due time, and record each once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.replies.events import ReviewReplyLate
from domain.replies.model import ReviewReply

PART = "review replies"
_OPEN = (ReviewReply.answered_at.is_(None), ReviewReply.late_at.is_(None))
LATE_DUE: tuple[WakeUp, ...] = (
    DueColumn(ReviewReply.due_at, *_OPEN, ~is_deferred(PART, ReviewReply.id), by_company=True),
)


async def replies_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select replies past their due time: the companies alternately, the longest overdue of each first."""
    turn = rank_of(ReviewReply.tenant_id, ReviewReply.due_at, ReviewReply.id)
    found = await session.execute(
        select(ReviewReply.tenant_id, ReviewReply.id)
        .where(*_OPEN, ReviewReply.due_at < at, ~is_deferred(PART, ReviewReply.id, at=at))
        .order_by(turn, ReviewReply.due_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_reply(
    session: AsyncSession, reply_id: UUID, *, at: datetime
) -> ReviewReply | None:
    """Record that a reply is late; None when another worker has it, or it is not."""
    row = await session.scalar(
        select(ReviewReply)
        .where(ReviewReply.id == reply_id, *_OPEN, ReviewReply.due_at < at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if row is None:
        return None
    row.late_at = row.due_at
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    tx.record(ReviewReplyLate(account_id=row.account_id, subject_id=row.id, at=row.due_at))
    await session.flush()
    return row
