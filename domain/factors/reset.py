"""Remove every second factor of a user who lost them."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.accounts import User, managed_user
from domain.core.errors import Code, Refused
from domain.credentials import end_all
from domain.credentials.model import EndedBy
from domain.factors.events import FactorRemoved
from domain.factors.model import Passkey, RecoveryCode, Totp


async def reset_factors(tx: Tx, user_id: UUID) -> User:
    """Remove every second factor of a user whom the actor manages, and end the user's sessions; never one's own."""
    user = await managed_user(tx.session, tx.actor, user_id)
    if tx.actor.subject == f"user:{user.id}":
        words = "You cannot reset your own second factor; remove it, or ask a colleague."
        raise Refused(Code.NOT_ALLOWED, words, argument="id")
    await delete_factors(tx.session, user_id)
    await end_all(tx, user, EndedBy.FACTORS_RESET)
    fact = FactorRemoved(account_id=None, subject_id=user.id, at=tx.at, factor="all")
    tx.record(fact)
    await tx.session.flush()
    return user


async def delete_factors(session: AsyncSession, user_id: UUID) -> None:
    """Delete the rows of every second factor of a user."""
    for model in (Totp, RecoveryCode, Passkey):
        await session.execute(
            delete(model)
            .where(model.user_id == user_id)
            .execution_options(synchronize_session=False)
        )
