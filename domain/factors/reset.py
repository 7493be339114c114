"""Remove every second factor of a user who lost them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.accounts import User, managed_user
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.credentials import end_all
from domain.credentials.model import EndedBy
from domain.factors.events import FactorRemoved
from domain.factors.model import Passkey, RecoveryCode, Totp


async def reset_factors(
    session: AsyncSession, actor: Actor, user_id: UUID, *, at: datetime
) -> User:
    """Remove every second factor of a user whom the actor manages, and end the user's sessions; never one's own."""
    user = await managed_user(session, actor, user_id)
    if actor.subject == f"user:{user.id}":
        words = "You cannot reset your own second factor; remove it, or ask a colleague."
        raise Refused(Code.NOT_ALLOWED, words, argument="id")
    await delete_factors(session, user_id)
    await end_all(session, actor, user, EndedBy.FACTORS_RESET, at=at)
    fact = FactorRemoved(account_id=None, subject_id=user.id, at=at, factor="all")
    record(session, actor, fact)
    await session.flush()
    return user


async def delete_factors(session: AsyncSession, user_id: UUID) -> None:
    """Delete the rows of every second factor of a user."""
    for model in (Totp, RecoveryCode, Passkey):
        await session.execute(
            delete(model)
            .where(model.user_id == user_id)
            .execution_options(synchronize_session=False)
        )
