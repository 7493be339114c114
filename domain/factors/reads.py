"""Read the second factors of users."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.factors.model import Passkey, RecoveryCode, Totp


class Enrolled(NamedTuple):
    """The second factors of a user."""

    totp: bool
    passkey: bool
    recovery: bool

    @property
    def any(self) -> bool:
        """Return whether a second factor is needed besides the password. Recovery codes alone are no factor."""
        return self.totp or self.passkey

    @property
    def methods(self) -> list[str]:
        """Return the methods that are accepted as second factor."""
        return [name for name, has in self._asdict().items() if has]


async def enrolled(session: AsyncSession, user_id: UUID) -> Enrolled:
    """Return the second factors of a user, in one query."""
    query = select(
        exists().where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None)),
        exists().where(Passkey.user_id == user_id),
        exists().where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)),
    )
    return Enrolled(*(await session.execute(query)).one())
