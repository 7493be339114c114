"""Retry dead jobs, and the messages that failed with them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right
from domain.core import outbox
from domain.core.errors import Code, Refused
from domain.core.ledger import Fact, LedgerRow, record
from domain.core.outbox import Outbox, OutboxState
from domain.messages.model import Message, MessageState


class Retried(Fact):
    """A job was retried by a user; about its outbox row."""

    kind: ClassVar[str] = "consequence.retried"
    subject_type: ClassVar[str | None] = "Outbox"
    job: str
    internal: bool


async def retry(session: AsyncSession, actor: Actor, outbox_id: UUID, *, at: datetime) -> Outbox:
    """Retry one job that is dead or waits for its next attempt; refused when it is done."""
    actor.must(Right.OPERATE)
    row = await session.scalar(
        select(Outbox).where(Outbox.id == outbox_id, Outbox.tenant_id == actor.tenant_id)
    )
    if row is None:
        raise Refused(Code.NOT_FOUND, "No such job.", argument="id")
    if not await _retry_rows(session, actor, Outbox.id == outbox_id, at=at):
        raise Refused(Code.INVALID, "The job is done; there is nothing to retry.", argument="id")
    await session.refresh(row)
    return row


async def retry_all(session: AsyncSession, actor: Actor, *, at: datetime) -> int:
    """Retry all dead jobs of the company; return how many."""
    actor.must(Right.OPERATE)
    return await _retry_rows(session, actor, Outbox.state == OutboxState.DEAD, at=at)


async def _retry_rows(
    session: AsyncSession, actor: Actor, which: ColumnElement[bool], *, at: datetime
) -> int:
    if actor.accounts is not None:
        raise Refused(
            Code.NOT_ALLOWED,
            "Your user is limited to some accounts; only users with access to all accounts can do this.",
        )
    rows = await outbox.retry(session, which, Outbox.tenant_id == actor.tenant_id, at=at)
    letters = select(LedgerRow.subject_id).where(
        LedgerRow.id.in_([fact_id for _, fact_id, job in rows if job == "send_message"])
    )
    await session.execute(
        update(Message)
        .where(Message.id.in_(letters), Message.state == MessageState.FAILED)
        .values(state=MessageState.QUEUED)
        .execution_options(synchronize_session=False)
    )
    for row_id, _, job in rows:
        record(
            session,
            actor,
            Retried(account_id=None, subject_id=row_id, at=at, job=job, internal=True),
        )
    return len(rows)
