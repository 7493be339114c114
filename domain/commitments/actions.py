"""Make commitments, finish them, withdraw them and hand them over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from domain import promises
from domain.access import CLIENTS, Right, Role, Tx
from domain.accounts.model import Account, Reach, User
from domain.agreements import IncidentAttributes
from domain.commitments import events
from domain.commitments.clocks import COMMITMENT
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.base import uuid7
from domain.core.bounds import must_be_instant
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line, must_be_text


async def make(
    tx: Tx,
    account_id: UUID,
    *,
    kind: CommitmentKind,
    words: str,
    owner_id: UUID,
    due_at: datetime,
    internal: bool = False,
    meeting_id: UUID | None = None,
) -> Commitment:
    """Promise a client something, with an owner and a due time; the terms in force when it is due may count it."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(words, "words")
    must_be_instant(due_at, "dueAt", tx.at)
    if due_at <= tx.at:
        raise Refused(Code.TIME_REVERSED, "dueAt must be later than now.", argument="dueAt")
    account = await tx.get(Account, account_id, "account", argument="accountId")
    await must_be_colleague(tx, owner_id, account.id)
    row = Commitment(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        kind=kind,
        words=words,
        owner_id=owner_id,
        internal=internal,
        meeting_id=meeting_id,
        made_at=tx.at,
        due_at=due_at,
    )
    tx.session.add(row)
    tx.record(
        events.CommitmentMade(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            commitment_kind=kind,
            due_at=due_at,
            internal=internal,
        )
    )
    await tx.session.flush()
    if not internal:
        attributes = IncidentAttributes(COMMITMENT, str(kind), None, due_at)
        subject = promises.PromiseSubject(COMMITMENT, row.id, account.id, attributes)
        await promises.start(tx.session, tx.actor, subject, at=tx.at)
    return row


async def finish(
    tx: Tx, commitment_id: UUID, *, note: str | None = None, expected_version: int | None = None
) -> Commitment:
    """Record that what was promised is done, in time or late."""
    tx.actor.must(Right.HANDLE)
    if note is not None:
        must_be_text(note, "note")
    row = await _open(tx, commitment_id, expected_version)
    row.done_at, row.done_by, row.note = tx.at, tx.actor.subject, note
    late = tx.at > row.due_at
    if late and row.late_at is None:
        row.late_at = row.due_at
    tx.record(
        events.CommitmentDone(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            late=late,
            internal=row.internal,
        )
    )
    await _evaluate(tx, row)
    return row


async def withdraw(
    tx: Tx, commitment_id: UUID, *, reason: str, expected_version: int | None = None
) -> Commitment:
    """Withdraw a commitment that no longer holds; one that is late stays late."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    row = await _open(tx, commitment_id, expected_version)
    if tx.at > row.due_at:
        raise Refused(
            Code.TIME_REVERSED,
            "It is late already, and a late commitment is not withdrawn. Finish it.",
            argument="id",
        )
    row.withdrawn_at, row.withdrawn_reason = tx.at, reason
    tx.record(
        events.CommitmentWithdrawn(
            account_id=row.account_id, subject_id=row.id, at=tx.at, internal=row.internal
        )
    )
    await _evaluate(tx, row)
    return row


async def hand_over(
    tx: Tx, commitment_id: UUID, *, owner_id: UUID, expected_version: int | None = None
) -> Commitment:
    """Hand an open commitment over to another user of the company."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await _open(tx, commitment_id, expected_version)
    await must_be_colleague(tx, owner_id, row.account_id)
    if owner_id == row.owner_id:
        raise Refused(Code.ALREADY_DONE, "This user has it already.", argument="ownerUserId")
    tx.record(
        events.CommitmentHandedOver(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=row.owner_id,
            after=owner_id,
        )
    )
    row.owner_id = owner_id
    await tx.session.flush()
    return row


async def _open(tx: Tx, commitment_id: UUID, expected_version: int | None) -> Commitment:
    row = await tx.get(Commitment, commitment_id, "commitment", lock=True)
    must_be_current(row.version, expected_version)
    if row.done_at is not None:
        raise Refused(Code.ALREADY_DONE, "This commitment is done already.", argument="id")
    if row.withdrawn_at is not None:
        raise Refused(Code.ALREADY_DONE, "This commitment was withdrawn.", argument="id")
    return row


async def _evaluate(tx: Tx, row: Commitment) -> None:
    await tx.session.flush()
    await promises.evaluate(tx.session, tx.actor, row.id, at=tx.at)


async def must_be_colleague(
    tx: Tx, user_id: UUID, account_id: UUID, *, argument: str = "ownerUserId"
) -> None:
    """Refuse an owner who is not an active office user of the company with access to the account."""
    limited = select(Reach.user_id).where(Reach.user_id == User.id)
    known = select(User.id).where(
        User.id == user_id,
        User.tenant_id == tx.actor.tenant_id,
        User.role.not_in(CLIENTS | {Role.GUARD}),
        User.disabled_at.is_(None),
        or_(~limited.exists(), limited.where(Reach.account_id == account_id).exists()),
    )
    if await tx.session.scalar(known) is None:
        raise Refused(
            Code.NOT_FOUND,
            "No such office user of the company with access to this account.",
            argument=argument,
        )
