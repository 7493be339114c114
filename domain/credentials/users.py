"""Change users: name, language, role and accounts; end their access."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from domain import accounts
from domain.access import Role, Tx
from domain.accounts import Reach, User, check, managed_user, must_have_access, must_manage
from domain.core.errors import Code, Refused, must_be_current
from domain.credentials.devices import revoke_devices_of
from domain.credentials.events import UserChanged
from domain.credentials.invitations import end_invitations
from domain.credentials.model import EndedBy
from domain.credentials.sessions import end_all


async def change_user(
    tx: Tx, user_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> User:
    """Change a user's `name`, `language`, `role` or `accounts` (None: all); omitted values stay.

    Nobody can change the own role or accounts, give a role with rights that the own role lacks, or give or take
    accounts beyond the own. A change of role or accounts ends open invitations of and by the user.
    """
    user = await managed_user(tx.session, tx.actor, user_id)
    if user.disabled_at is not None:
        raise Refused(Code.NOT_FOUND, "No such user.", argument="id")
    must_be_current(user.version, expected_version)
    for field in ("name", "role"):
        if field in changes and changes[field] is None:
            raise Refused(Code.INVALID, f"A user needs a {field}.", argument=field)
    plain: dict[str, Any] = {
        name: changes[name] for name in ("name", "language") if name in changes
    }
    check(plain)
    before = {"name": user.name, "language": user.language, "role": user.role}
    reached = await _reach(tx.session, user)
    role: Role = changes.get("role", user.role)
    wanted = changes.get("accounts", reached)
    listed = reached if "accounts" not in changes else sorted(set(wanted or ()), key=str)
    access = role is not user.role or listed != reached
    if access:
        await _change_reach(tx, user, role, listed)
        await end_invitations(tx.session, user, at=tx.at)
    if access or any(before[name] != value for name, value in plain.items()):
        for name, value in {**plain, "role": role}.items():
            setattr(user, name, value)
        flag_modified(user, "role")  # also raises the version when only related rows changed
        tx.record(_fact(user, before, reached, listed, tx.at))
        await tx.session.flush()
    return user


async def disable_user(tx: Tx, user_id: UUID) -> User:
    """Disable a user: sessions, devices and open invitations of and by the user end too."""
    user = await accounts.disable_user(tx, user_id)
    await end_all(tx, user, EndedBy.DISABLED)
    await end_invitations(tx.session, user, at=tx.at)
    await revoke_devices_of(tx, user)
    await tx.session.flush()
    return user


async def _reach(session: AsyncSession, user: User) -> list[UUID]:
    query = select(Reach.account_id).where(Reach.user_id == user.id)
    return sorted(await session.scalars(query), key=str)


async def _change_reach(tx: Tx, user: User, role: Role, listed: Collection[UUID]) -> None:
    if tx.actor.subject == f"user:{user.id}":
        words = "You cannot change your own role or accounts; ask a colleague."
        raise Refused(Code.NOT_ALLOWED, words, argument="id")
    must_manage(tx.actor, role)
    await must_have_access(tx.session, tx.actor, role, listed)
    await tx.session.execute(delete(Reach).where(Reach.user_id == user.id))
    tx.session.add_all(
        Reach(user_id=user.id, account_id=account_id, tenant_id=user.tenant_id)
        for account_id in listed
    )


def _fact(
    user: User, before: dict[str, Any], reached: list[UUID], listed: list[UUID], at: datetime
) -> UserChanged:
    renamed = before["name"] != user.name
    return UserChanged(
        account_id=None,
        subject_id=user.id,
        at=at,
        name_before=before["name"] if renamed else None,
        name_after=user.name if renamed else None,
        language_before=before["language"],
        language_after=user.language,
        role_before=before["role"],
        role_after=user.role,
        accounts_before=reached,
        accounts_after=listed,
    )
