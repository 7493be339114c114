"""Find commitments that were not done by their due time, and record each once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.commitments.events import CommitmentLate
from domain.commitments.model import Commitment
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp

PART = "commitments"
_OPEN = (
    Commitment.done_at.is_(None),
    Commitment.withdrawn_at.is_(None),
    Commitment.late_at.is_(None),
)


DUE: tuple[WakeUp, ...] = (
    DueColumn(Commitment.due_at, *_OPEN, ~is_deferred(PART, Commitment.id), by_company=True),
)


async def commitments_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select open commitments past their due time: the companies alternately, the longest overdue of each first."""
    turn = rank_of(Commitment.tenant_id, Commitment.due_at, Commitment.id)
    found = await session.execute(
        select(Commitment.tenant_id, Commitment.id)
        .where(*_OPEN, Commitment.due_at < at, ~is_deferred(PART, Commitment.id, at=at))
        .order_by(turn, Commitment.due_at)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def look_at_commitment(
    session: AsyncSession, commitment_id: UUID, *, at: datetime
) -> Commitment | None:
    """Record that a commitment is late; None when another worker has it, or it is not."""
    row = await session.scalar(
        select(Commitment)
        .where(Commitment.id == commitment_id, *_OPEN, Commitment.due_at < at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if row is None:
        return None
    row.late_at = row.due_at
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    tx.record(
        CommitmentLate(
            account_id=row.account_id, subject_id=row.id, at=row.due_at, internal=row.internal
        )
    )
    await session.flush()
    return row
