"""Find users for mutations about people's access; `domain/access/scopes.py` decides whom an actor may manage."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, managed_users, row_of
from domain.accounts.model import User


async def managed_user(
    session: AsyncSession, actor: Actor, user_id: UUID, *, argument: str = "id"
) -> User:
    """Lock a user that the actor may manage; refuse as unknown when there is none, or the actor may not."""
    actor.must(Right.MANAGE_ACCESS)
    among = managed_users(actor, User)
    return await row_of(
        session, actor, User, user_id, "user", argument=argument, lock=True, among=among
    )
