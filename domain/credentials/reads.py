"""Ask about credentials: who may be meant by an address, whether a sign-in goes on, which actor a device is."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts import Tenant, User, actor_of_user
from domain.actor import Actor
from domain.credentials.model import Device, Password, RefreshToken, SignIn
from domain.credentials.rules import ABSOLUTE, sha256_of


class Candidate(NamedTuple):
    """Somebody who may be signing in, with the hash to compare."""

    user: User
    hash: str


async def candidates(
    session: AsyncSession, email: str, *, company: str | None = None
) -> list[Candidate]:
    """The users with this address and a password: at most one a company, two in all."""
    if "\0" in email or "\0" in (company or ""):
        return []  # PostgreSQL's text holds no such character
    query = (
        select(User, Password.hash)
        .join(Password, Password.user_id == User.id)
        .where(User.email == email.strip().lower(), User.disabled_at.is_(None))
    )
    if company is not None:
        query = query.join(Tenant, Tenant.id == User.tenant_id).where(Tenant.name == company)
    return [Candidate(*row) for row in await session.execute(query.limit(2))]


async def password_of(session: AsyncSession, user_id: UUID) -> Candidate | None:
    """A user who can sign in with a password."""
    row = (
        await session.execute(
            select(User, Password.hash)
            .join(Password, Password.user_id == User.id)
            .where(User.id == user_id, User.disabled_at.is_(None))
        )
    ).first()
    return None if row is None else Candidate(*row)


async def user_of_address(session: AsyncSession, *, company: str, email: str) -> UUID | None:
    """The user of a company with this address."""
    user_id: UUID | None = await session.scalar(
        select(User.id)
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(Tenant.name == company, User.email == email.strip().lower())
    )
    return user_id


async def is_current(session: AsyncSession, sign_in_id: UUID, *, at: datetime) -> bool:
    """Whether a sign-in goes on."""
    found = await session.scalar(
        select(SignIn.id).where(
            SignIn.id == sign_in_id, SignIn.ended_at.is_(None), SignIn.started_at > at - ABSOLUTE
        )
    )
    return found is not None


async def sign_in_of(session: AsyncSession, presented: str) -> SignIn | None:
    """The sign-in that a refresh token, used or not, belongs to."""
    sign_in: SignIn | None = await session.scalar(
        select(SignIn)
        .join(RefreshToken, RefreshToken.sign_in_id == SignIn.id)
        .where(RefreshToken.secret_sha256 == sha256_of(presented))
        .with_for_update(of=SignIn)
    )
    return sign_in


async def actor_of_device(session: AsyncSession, presented: str) -> Actor | None:
    """The user of a device, acting through it; None when it is unknown or revoked, or its user cannot sign in."""
    device = await session.scalar(
        select(Device).where(
            Device.secret_sha256 == sha256_of(presented), Device.revoked_at.is_(None)
        )
    )
    if device is None:
        return None
    actor = await actor_of_user(session, device.user_id)
    if actor is None:
        return None
    return Actor(actor.tenant_id, actor.role, f"device:{device.id}", actor.accounts)
