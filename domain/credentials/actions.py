"""Change credentials: invite, set passwords, begin, renew and end sign-ins, enrol devices."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import User, manageable_users, managed_user
from domain.actor import Actor
from domain.credentials.events import (
    DeviceEnrolled,
    DeviceRevoked,
    PasswordChanged,
    SignedIn,
    SignedOut,
    UserInvited,
)
from domain.credentials.model import (
    Device,
    EndedBy,
    Invitation,
    Password,
    RefreshToken,
    SignIn,
)
from domain.credentials.reads import sign_in_of
from domain.credentials.rules import ABSOLUTE, IDLE, INVITED, new_secret, sha256_of
from domain.errors import Code, Refused
from domain.ledger import record


class Renewed(NamedTuple):
    """A sign-in that goes on: whose it is, and the next refresh token."""

    user_id: UUID
    sign_in_id: UUID
    refresh_token: str


async def invite(
    session: AsyncSession, actor: Actor, user_id: UUID, *, at: datetime
) -> tuple[Invitation, str]:
    """Let somebody set a password, a first or another one; the text is given back here and never again."""
    user = await managed_user(session, actor, user_id, argument="userId")
    if user.disabled_at is not None:
        raise Refused(Code.NOT_FOUND, "No such user.", argument="userId")
    secret = new_secret("wi")
    row = Invitation(
        tenant_id=actor.tenant_id,
        user_id=user_id,
        secret_sha256=secret.sha256,
        expires_at=at + INVITED,
    )
    session.add(row)
    record(session, actor, UserInvited(account_id=None, subject_id=user_id, at=at))
    await session.flush()
    return row, secret.text


async def accept(session: AsyncSession, presented: str, *, at: datetime) -> User | None:
    """Use up an invitation; the user whose password may be set now, None when it is good for nothing."""
    user_id = await session.scalar(
        update(Invitation)
        .where(
            Invitation.secret_sha256 == sha256_of(presented),
            Invitation.used_at.is_(None),
            Invitation.expires_at > at,
        )
        .values(used_at=at)
        .returning(Invitation.user_id)
    )
    if user_id is None:
        return None
    user: User | None = await session.scalar(
        select(User).where(User.id == user_id, User.disabled_at.is_(None))
    )
    return user


async def change_password(session: AsyncSession, user: User, *, hash: str, at: datetime) -> None:
    """Give a user this password; whoever is signed in as the user is signed out."""
    fresh = insert(Password).values(
        user_id=user.id, tenant_id=user.tenant_id, hash=hash, changed_at=at
    )
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=[Password.user_id], set_={"hash": hash, "changed_at": at}
        )
    )
    going_on = await session.scalars(
        select(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None)).with_for_update()
    )
    for sign_in in going_on:
        _end(session, sign_in, EndedBy.PASSWORD_CHANGE, at)
    fact = PasswordChanged(account_id=None, subject_id=user.id, at=at)
    record(session, _as(user.tenant_id, user.id), fact)
    await session.flush()


async def rehash(session: AsyncSession, user_id: UUID, *, was: str, hash: str) -> None:
    """Keep the same password under a better hash, unless it was changed meanwhile."""
    await session.execute(
        update(Password).where(Password.user_id == user_id, Password.hash == was).values(hash=hash)
    )


async def begin(session: AsyncSession, user: User, *, at: datetime) -> Renewed:
    """Sign a user in, whose password (or other proof) was right."""
    sign_in = SignIn(tenant_id=user.tenant_id, user_id=user.id, started_at=at, renewed_at=at)
    session.add(sign_in)
    await session.flush()
    fact = SignedIn(account_id=None, subject_id=user.id, at=at, sign_in_id=sign_in.id)
    record(session, _as(user.tenant_id, user.id), fact)
    return await _next(session, sign_in, at)


async def renew(session: AsyncSession, presented: str, *, at: datetime) -> Renewed | None:
    """The next refresh token for this one; None when it is good for nothing.

    One that was used before ends the sign-in: either its owner or a thief has used it, and who asks now is the other.
    The caller commits also when the answer is None.
    """
    sign_in = await sign_in_of(session, presented)
    if sign_in is None or sign_in.ended_at is not None:
        return None
    unused = await session.scalar(
        update(RefreshToken)
        .where(RefreshToken.secret_sha256 == sha256_of(presented), RefreshToken.used_at.is_(None))
        .values(used_at=at)
        .returning(RefreshToken.issued_at)
    )
    if unused is None:
        _end(session, sign_in, EndedBy.REUSE, at)
        return None
    if at >= min(unused + IDLE, sign_in.started_at + ABSOLUTE):
        return None
    user = await session.get(User, sign_in.user_id)
    if user is None or user.disabled_at is not None:
        return None
    sign_in.renewed_at = at
    return await _next(session, sign_in, at)


async def end(session: AsyncSession, presented: str, *, at: datetime) -> None:
    """Sign out by a refresh token; one that means nothing is as good as signed out."""
    sign_in = await sign_in_of(session, presented)
    if sign_in is not None and sign_in.ended_at is None:
        _end(session, sign_in, EndedBy.USER, at)


async def enrol(
    session: AsyncSession, actor: Actor, *, name: str, at: datetime
) -> tuple[Device, str]:
    """Let the signed-in user's device hand in measurements; the token is given back here and never again."""
    kind, _, user_id = actor.subject.partition(":")
    if kind != "user":
        raise Refused(Code.NOT_ALLOWED, "People enrol their devices themselves.")
    if not 0 < len(name.strip()) <= 200:
        raise Refused(Code.INVALID, "A device has a name.", argument="name")
    secret = new_secret("wd")
    device = Device(
        tenant_id=actor.tenant_id,
        user_id=UUID(user_id),
        name=name.strip(),
        secret_sha256=secret.sha256,
        enrolled_at=at,
    )
    session.add(device)
    await session.flush()
    fact = DeviceEnrolled(account_id=None, subject_id=device.id, at=at, user_id=device.user_id)
    record(session, actor, fact)
    return device, secret.text


async def revoke_device(
    session: AsyncSession, actor: Actor, device_id: UUID, *, at: datetime
) -> Device:
    """Stop a device: one's own, or anybody's for who manages access to the whole company."""
    own = actor.subject.removeprefix("user:") if actor.subject.startswith("user:") else None
    managed = select(User.id).where(manageable_users(actor))
    query = select(Device).where(
        Device.id == device_id,
        Device.tenant_id == actor.tenant_id,
        or_(Device.user_id == own, Device.user_id.in_(managed)),
    )
    device = await session.scalar(query.with_for_update())
    if device is None:
        raise Refused(Code.NOT_FOUND, "No such device.", argument="id")
    if device.revoked_at is None:
        device.revoked_at = at
        record(session, actor, DeviceRevoked(account_id=None, subject_id=device.id, at=at))
        await session.flush()
    return device


async def _next(session: AsyncSession, sign_in: SignIn, at: datetime) -> Renewed:
    secret = new_secret("wr")
    session.add(
        RefreshToken(
            secret_sha256=secret.sha256,
            tenant_id=sign_in.tenant_id,
            sign_in_id=sign_in.id,
            issued_at=at,
        )
    )
    await session.flush()
    return Renewed(sign_in.user_id, sign_in.id, secret.text)


def _end(session: AsyncSession, sign_in: SignIn, by: EndedBy, at: datetime) -> None:
    sign_in.ended_at, sign_in.ended_by = at, by
    fact = SignedOut(
        account_id=None, subject_id=sign_in.user_id, at=at, sign_in_id=sign_in.id, ended_by=by
    )
    record(session, _as(sign_in.tenant_id, sign_in.user_id), fact)


def _as(tenant_id: UUID, user_id: UUID) -> Actor:
    """Who the ledger names: the user, though nobody has been let in yet."""
    named = Actor.system(tenant_id, "sign-in")
    return Actor(tenant_id, named.role, f"user:{user_id}")
