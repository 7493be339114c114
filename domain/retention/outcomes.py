"""Label what happened with clients: by people, or by the end of the last agreement."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.deferral import Subject, is_deferred
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_text
from domain.retention.events import OutcomeLabelled
from domain.retention.model import ClientOutcome, OutcomeKind, OutcomeReason

PART = "outcomes"


async def label(
    tx: Tx,
    account_id: UUID,
    *,
    kind: OutcomeKind,
    reason: OutcomeReason,
    happened_on: date,
    note: str | None = None,
) -> ClientOutcome:
    """Say what happened with a client; it replaces what was said before."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(note, "note")
    must_be_day(happened_on, "happenedOn", tx.at)
    if happened_on > tx.at.date():
        raise Refused(
            Code.TIME_REVERSED, "An outcome cannot lie in the future.", argument="happenedOn"
        )
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    before = await tx.session.scalar(
        select(ClientOutcome).where(
            ClientOutcome.account_id == account.id, ClientOutcome.replaced_at.is_(None)
        )
    )
    if before is not None:
        before.replaced_at = tx.at
    row = ClientOutcome(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=kind,
        reason=reason,
        happened_on=happened_on,
        note=note,
        labelled_at=tx.at,
        labelled_by=tx.actor.subject,
    )
    tx.session.add(row)
    tx.record(
        OutcomeLabelled(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            outcome=kind,
            cause=reason,
            happened_on=happened_on,
            outcome_before=None if before is None else before.kind,
            happened_on_before=None if before is None else before.happened_on,
        )
    )
    await tx.session.flush()
    return row


async def outcomes_due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select accounts of which every agreement has ended since the last label."""
    last = func.max(func.coalesce(Agreement.ended_at, func.now() + func.make_interval(1000)))
    labelled = select(ClientOutcome.id).where(
        ClientOutcome.account_id == Agreement.account_id,
        ClientOutcome.kind != OutcomeKind.RENEWED,
        ClientOutcome.replaced_at.is_(None),
    )
    found = await session.execute(
        select(Agreement.tenant_id, Agreement.account_id)
        .where(~labelled.exists(), ~is_deferred(PART, Agreement.account_id, at=at))
        .group_by(Agreement.tenant_id, Agreement.account_id)
        .having(last <= at)
        .order_by(Agreement.account_id)
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def label_end(session: AsyncSession, account_id: UUID, *, at: datetime) -> ClientOutcome:
    """Label an account of which every agreement has ended as one that left, for a reason that is not known."""
    account = await session.get_one(Account, account_id)
    ended = await session.scalar(
        select(func.max(Agreement.ended_at)).where(Agreement.account_id == account_id)
    )
    tx = Tx(session, Actor.system(account.tenant_id, PART), at)
    return await label(
        tx, account_id, kind=OutcomeKind.LEFT, reason=OutcomeReason.UNKNOWN,
        happened_on=at.date() if ended is None else ended.date(),
    )  # fmt: skip
