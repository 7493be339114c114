"""Retry dead jobs, and the messages that failed with them."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from domain.access import Right, Tx
from domain.core import outbox
from domain.core.errors import Code, Refused
from domain.core.ledger import Fact, LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.messages.model import Message, MessageState


class Retried(Fact):
    """A job was retried by a user; about its outbox row."""

    kind: ClassVar[str] = "consequence.retried"
    subject_type: ClassVar[str | None] = "Outbox"
    job: str
    internal: bool


async def retry(tx: Tx, outbox_id: UUID) -> Outbox:
    """Retry one job that is dead or waits for its next attempt; refused when it is done."""
    tx.actor.must(Right.OPERATE)
    row = await tx.get(Outbox, outbox_id, "job", among=Outbox.tenant_id == tx.actor.tenant_id)
    if not await _retry_rows(tx, Outbox.id == outbox_id):
        raise Refused(Code.INVALID, "The job is done; there is nothing to retry.", argument="id")
    await tx.session.refresh(row)
    return row


async def retry_all(tx: Tx) -> int:
    """Retry all dead jobs of the company; return how many."""
    tx.actor.must(Right.OPERATE)
    return await _retry_rows(tx, Outbox.state == OutboxState.DEAD)


async def _retry_rows(tx: Tx, which: ColumnElement[bool]) -> int:
    tx.actor.must_access_all_accounts("Jobs that were given up")
    rows = await outbox.retry(tx.session, which, Outbox.tenant_id == tx.actor.tenant_id, at=tx.at)
    letters = select(LedgerRow.subject_id).where(
        LedgerRow.id.in_([fact_id for _, fact_id, job in rows if job == "send_message"])
    )
    await tx.session.execute(
        update(Message)
        .where(Message.id.in_(letters), Message.state == MessageState.FAILED)
        .values(state=MessageState.QUEUED)
        .execution_options(synchronize_session=False)
    )
    for row_id, _, job in rows:
        tx.record(Retried(account_id=None, subject_id=row_id, at=tx.at, job=job, internal=True))
    return len(rows)
