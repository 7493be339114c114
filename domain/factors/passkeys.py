"""Passkeys: add, use and remove them. The authenticator's response is verified by the caller."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import User
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.core.text_rules import must_be_line
from domain.credentials import as_user
from domain.factors.events import FactorAdded, FactorRemoved
from domain.factors.model import Passkey

MOST = 20


async def passkeys_of(session: AsyncSession, user_id: UUID) -> list[Passkey]:
    """A user's passkeys, oldest first."""
    rows = await session.scalars(
        select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    )
    return list(rows)


async def passkey_of(session: AsyncSession, credential_id: bytes) -> Passkey | None:
    """Lock and return the passkey with this credential id."""
    row: Passkey | None = await session.scalar(
        select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    )
    return row


async def add_passkey(
    session: AsyncSession,
    user: User,
    *,
    name: str,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    at: datetime,
) -> Passkey:
    """Add a new passkey of this user."""
    if not 0 < len(name.strip()) <= 200:
        raise Refused(Code.INVALID, "A passkey needs a name.", argument="name")
    must_be_line(name, "name")
    if len(await passkeys_of(session, user.id)) >= MOST:
        raise Refused(Code.INVALID, f"A user can have at most {MOST} passkeys.")
    if await passkey_of(session, credential_id) is not None:
        raise Refused(Code.ALREADY_EXISTS, "This passkey exists already.")
    row = Passkey(
        tenant_id=user.tenant_id,
        user_id=user.id,
        name=name.strip(),
        credential_id=credential_id,
        public_key=public_key,
        sign_count=sign_count,
        added_at=at,
    )
    session.add(row)
    await session.flush()
    fact = FactorAdded(
        account_id=None, subject_id=user.id, at=at, factor="passkey", passkey_id=row.id
    )
    record(session, as_user(user.tenant_id, user.id), fact)
    return row


async def note_passkey_use(
    session: AsyncSession,
    passkey: Passkey,
    *,
    sign_count: int,
    challenged_at: datetime,
    at: datetime,
) -> bool:
    """Record that a passkey answered a challenge; False for one not newer than the last one it answered."""
    if passkey.challenged_at is not None and challenged_at <= passkey.challenged_at:
        return False
    passkey.sign_count, passkey.challenged_at, passkey.used_at = sign_count, challenged_at, at
    await session.flush()
    return True


async def remove_passkey(
    session: AsyncSession, user: User, passkey_id: UUID, *, at: datetime
) -> None:
    """Remove one of the user's passkeys."""
    row = await session.scalar(
        select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id)
    )
    if row is None:
        raise Refused(Code.NOT_FOUND, "No such passkey.", argument="id")
    await session.delete(row)
    fact = FactorRemoved(
        account_id=None, subject_id=user.id, at=at, factor="passkey", passkey_id=passkey_id
    )
    record(session, as_user(user.tenant_id, user.id), fact)
    await session.flush()
