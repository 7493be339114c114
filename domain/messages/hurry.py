"""Let messages that wait for the end of quiet hours go at once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import Entry
from domain.messages.model import Message, MessageState, Urgency
from domain.outbox import Outbox, OutboxState


async def hurry(
    session: AsyncSession, intent: str, account_id: UUID | None, *, at: datetime
) -> int:
    """Make the waiting messages whose intent begins so critical, and their sending due; returns how many."""
    found = await session.scalars(
        update(Message)
        .where(
            Message.account_id == account_id,
            Message.intent.startswith(intent),
            Message.state == MessageState.QUEUED,
            Message.not_before > at,
        )
        .values(not_before=None, urgency=Urgency.CRITICAL)
        .returning(Message.id)
    )
    ids = found.all()
    if ids:
        queued = select(Entry.id).where(Entry.subject_id.in_(ids), Entry.kind == "message.queued")
        await session.execute(
            update(Outbox)
            .where(Outbox.fact_id.in_(queued), Outbox.state == OutboxState.PENDING)
            .values(due_at=at)
        )
    return len(ids)
