"""Begin and end crises of clients."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text
from domain.crises.events import CrisisBegan, CrisisEnded
from domain.crises.model import Crisis


async def begin(tx: Tx, account_id: UUID, *, reason: str) -> Crisis:
    """Begin a crisis of a client; refused while one lasts."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    account = await tx.get(Account, account_id, "account", argument="accountId")
    row: Crisis | None = await tx.session.scalar(
        insert(Crisis)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            reason=reason,
            began_at=tx.at,
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(Crisis)
    )
    if row is None:
        raise Refused(
            Code.ALREADY_EXISTS, "A crisis of this client lasts already.", argument="accountId"
        )
    tx.record(CrisisBegan(account_id=account.id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def end(tx: Tx, crisis_id: UUID, *, expected_version: int | None = None) -> Crisis:
    """End a crisis: surveys that waited are sent."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(Crisis, crisis_id, "crisis", lock=True)
    must_be_current(row.version, expected_version)
    if row.ended_at is not None:
        raise Refused(Code.ALREADY_DONE, "This crisis is over.", argument="id")
    row.ended_at = tx.at
    tx.record(CrisisEnded(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row
