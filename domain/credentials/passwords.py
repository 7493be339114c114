"""Change passwords."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.accounts import User
from domain.core.ledger import record
from domain.credentials.actor_names import as_user
from domain.credentials.devices import revoke_devices_of
from domain.credentials.events import PasswordChanged
from domain.credentials.invitations import end_invitations
from domain.credentials.model import EndedBy, Password
from domain.credentials.sessions import end_all


async def change_password(
    session: AsyncSession, user: User, *, hash: str, at: datetime, keep_devices: bool = False
) -> None:
    """Set a user's password; sessions and open invitations end, and devices unless they are kept."""
    fresh = insert(Password).values(
        user_id=user.id, tenant_id=user.tenant_id, hash=hash, changed_at=at
    )
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=[Password.user_id], set_={"hash": hash, "changed_at": at}
        )
    )
    actor = as_user(user.tenant_id, user.id)
    await end_all(Tx(session, actor, at), user, EndedBy.PASSWORD_CHANGE)
    await end_invitations(session, user, at=at)
    if not keep_devices:
        await revoke_devices_of(Tx(session, actor, at), user)
    record(session, actor, PasswordChanged(account_id=None, subject_id=user.id, at=at))
    await session.flush()


async def rehash(session: AsyncSession, user_id: UUID, *, was: str, hash: str) -> None:
    """Store a stronger hash of the same password, unless it was changed meanwhile."""
    await session.execute(
        update(Password).where(Password.user_id == user_id, Password.hash == was).values(hash=hash)
    )
