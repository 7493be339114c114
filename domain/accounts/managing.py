"""Which users and keys an actor may manage and see: the one rule for every verb about people's access."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import visible_to
from domain.accounts.model import ApiKey, Reach, User
from domain.actor import Actor, Right, Role
from domain.errors import Code, Refused


def manageable_users(actor: Actor) -> ColumnElement[bool]:
    """The condition under which an actor may manage a user.

    Managing is inviting, disabling, changing, erasing, exporting, ending sessions and revoking devices. The user's
    role must be one that the actor manages (`Actor.manages`), and the user's accounts must all be the actor's: who is
    limited to some accounts manages nobody that reaches another one, or all.
    """
    roles = [role for role in Role if actor.manages(role)]
    if not roles:
        return false()
    return and_(_inside(actor), User.role.in_(roles))


def visible_users(actor: Actor) -> ColumnElement[bool]:
    """The condition under which an actor sees a user: a client sees client users of the own accounts only."""
    return visible_to(actor, User)


def manageable_keys(actor: Actor) -> ColumnElement[bool]:
    """The condition under which an actor may list and revoke a key: never a client, never beyond the own accounts."""
    return visible_to(actor, ApiKey)


async def managed_user(
    session: AsyncSession, actor: Actor, user_id: UUID, *, argument: str = "id"
) -> User:
    """Lock a user that the actor may manage; refused as unknown when there is none, or the actor may not."""
    actor.must(Right.MANAGE_ACCESS)
    query = select(User).where(User.id == user_id, manageable_users(actor))
    user = await session.scalar(query.with_for_update(key_share=True))
    if user is None:
        raise Refused(Code.NOT_FOUND, "No such user.", argument=argument)
    return user


def _inside(actor: Actor) -> ColumnElement[bool]:
    """Users of the company; of those who reach some accounts only, no account beyond the actor's."""
    own: ColumnElement[bool] = User.tenant_id == actor.tenant_id
    if actor.accounts is None:
        return own
    inside = select(Reach.user_id).where(Reach.account_id.in_(actor.accounts))
    outside = select(Reach.user_id).where(Reach.account_id.not_in(actor.accounts))
    return and_(own, User.id.in_(inside), User.id.not_in(outside))
