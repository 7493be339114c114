"""Send messages at once that wait for the end of quiet hours."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core import outbox
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox
from domain.messages.model import Message, MessageState, Urgency


async def expedite(
    session: AsyncSession, intent: str, account_id: UUID | None, *, at: datetime
) -> int:
    """Make the waiting messages whose intent has this prefix critical, and their jobs due; return how many."""
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
        queued = select(LedgerRow.id).where(
            LedgerRow.subject_id.in_(ids), LedgerRow.kind == "message.queued"
        )
        await outbox.expedite(session, Outbox.fact_id.in_(queued), at=at)
    return len(ids)
