"""Invitations: create, use and end a one-time right to set a password."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx, managed_users
from domain.accounts import (
    ApiKey,
    User,
    actor_of_row,
    actor_of_user,
    managed_user,
)
from domain.core.errors import Code, Refused
from domain.core.ledger import record
from domain.credentials.events import InvitationEnded, PasswordResetAsked, UserInvited
from domain.credentials.model import Invitation, Password, Purpose
from domain.credentials.rules import INVITED, RESET, new_secret, sha256_of


async def invite(tx: Tx, user_id: UUID, *, lifetime: timedelta = INVITED) -> Invitation:
    """Invite a user to set a password, once; earlier invitations end, and a message with a link is sent.

    Nobody but the reader of that message gets the link's text: whoever had it could sign in as the user.
    """
    user = await managed_user(tx.session, tx.actor, user_id, argument="userId")
    if user.disabled_at is not None:
        raise Refused(Code.NOT_FOUND, "No such user.", argument="userId")
    await end_invitations(tx.session, user, at=tx.at)
    row = Invitation(
        tenant_id=user.tenant_id,
        user_id=user.id,
        purpose=Purpose.INVITATION,
        invited_by=tx.actor.subject,
        secrets=[],
        expires_at=tx.at + lifetime,
    )
    tx.session.add(row)
    await tx.session.flush()
    fact = UserInvited(account_id=None, subject_id=user.id, at=tx.at, invitation_id=row.id)
    tx.record(fact)
    await tx.session.flush()
    return row


async def ask_reset(
    session: AsyncSession, email: str, *, at: datetime, lifetime: timedelta = RESET
) -> int:
    """Send a password reset link to each user with this address; return how many.

    Users without a password or an earlier invitation get none, because they sign in elsewhere or not at all.
    """
    if "\0" in email:
        return 0
    password = exists().where(Password.user_id == User.id)
    invited = exists().where(Invitation.user_id == User.id)
    users = await session.scalars(
        select(User)
        .where(User.email == email.strip().lower(), User.disabled_at.is_(None))
        .where(or_(password, invited))
        .order_by(User.id)
        .limit(50)
    )
    found = users.all()
    for user in found:
        row = Invitation(
            tenant_id=user.tenant_id,
            user_id=user.id,
            purpose=Purpose.RESET,
            secrets=[],
            expires_at=at + lifetime,
        )
        session.add(row)
        await session.flush()
        fact = PasswordResetAsked(account_id=None, subject_id=user.id, at=at, invitation_id=row.id)
        record(session, Actor.system(user.tenant_id, "sign-in"), fact)
    await session.flush()
    return len(found)


async def new_text(session: AsyncSession, invitation_id: UUID, *, at: datetime) -> str | None:
    """Create another text for an invitation, to be sent in a message; None when the invitation has ended."""
    secret = new_secret("wi")
    found = await session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_open(at))
        .values(secrets=func.array_append(Invitation.secrets, secret.sha256))
        .returning(Invitation.id)
    )
    return None if found is None else secret.text


async def invited_user(session: AsyncSession, presented: str, *, at: datetime) -> User | None:
    """Return the user whose password may be set with this text; None when it is invalid or expired."""
    row: Invitation | None = await session.scalar(
        select(Invitation).where(Invitation.secrets.contains([sha256_of(presented)]), *_open(at))
    )
    if row is None or not await _inviter_manages(session, row, at):
        return None
    user: User | None = await session.scalar(
        select(User).where(User.id == row.user_id, User.disabled_at.is_(None))
    )
    return user


async def accept(session: AsyncSession, presented: str, *, at: datetime) -> User | None:
    """Use an invitation; return the user whose password may be set now, None when it is invalid."""
    user = await invited_user(session, presented, at=at)
    used = await session.scalar(
        update(Invitation)
        .where(Invitation.secrets.contains([sha256_of(presented)]), *_open(at))
        .values(used_at=at)
        .returning(Invitation.id)
    )
    return None if used is None else user


async def end_invitations(session: AsyncSession, user: User, *, at: datetime) -> None:
    """End the open invitations of a user, and those that the user made for others."""
    ended = await session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == user.tenant_id,
            or_(Invitation.user_id == user.id, Invitation.invited_by == f"user:{user.id}"),
            *_open(at),
        )
        .values(ended_at=at)
        .returning(Invitation.id, Invitation.user_id)
    )
    for invitation_id, invited_id in ended.all():
        fact = InvitationEnded(
            account_id=None, subject_id=invited_id, at=at, invitation_id=invitation_id
        )
        record(session, Actor.system(user.tenant_id, "sign-in"), fact)


def _open(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.used_at.is_(None),
        Invitation.ended_at.is_(None),
        Invitation.expires_at > at,
    )


async def _inviter_manages(session: AsyncSession, row: Invitation, at: datetime) -> bool:
    """Return whether the inviter still manages the user: not disabled, not demoted, the key not revoked."""
    kind, _, id_ = (row.invited_by or "").partition(":")
    actor = None
    if row.purpose is Purpose.RESET or kind == "system":
        return True
    if kind == "user":
        actor = await actor_of_user(session, UUID(id_))
    elif kind == "key":
        key = await session.get(ApiKey, UUID(id_))
        actor = None if key is None else actor_of_row(key, at=at)
    if actor is None:
        return False
    query = select(User.id).where(User.id == row.user_id, managed_users(actor, User))
    return await session.scalar(query) is not None
