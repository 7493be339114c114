"""Find users for mutations about people's access; `domain/access/scopes.py` decides whom an actor may manage."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, managed_users
from domain.accounts.model import User
from domain.core.errors import Code, Refused


async def managed_user(
    session: AsyncSession, actor: Actor, user_id: UUID, *, argument: str = "id"
) -> User:
    """Lock a user that the actor may manage; refuse as unknown when there is none, or the actor may not."""
    actor.must(Right.MANAGE_ACCESS)
    query = select(User).where(User.id == user_id, managed_users(actor, User))
    user = await session.scalar(query.with_for_update(key_share=True))
    if user is None:
        raise Refused(Code.NOT_FOUND, "No such user.", argument=argument)
    return user
