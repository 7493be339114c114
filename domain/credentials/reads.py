"""Reads of credentials: users of an address, current sessions, actors of devices."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor
from domain.accounts import Tenant, User, actors_of_users
from domain.core.base import among
from domain.credentials.model import Device, Password, RefreshToken, SignIn
from domain.credentials.rules import ABSOLUTE, IDLE, sha256_of


class Candidate(NamedTuple):
    """A user who may be signing in, with the hash to compare and the company's name."""

    user: User
    hash: str
    company: str


async def candidates(session: AsyncSession, email: str) -> list[Candidate]:
    """Return the active users with this address and a password, of all companies."""
    if "\0" in email:
        return []  # PostgreSQL's text cannot hold such a character
    query = _with_passwords().where(User.email == email.strip().lower())
    return [Candidate(*row) for row in await session.execute(query.order_by(User.id).limit(50))]


async def password_of(session: AsyncSession, user_id: UUID) -> Candidate | None:
    """Return a user who can sign in with a password."""
    row = (await session.execute(_with_passwords().where(User.id == user_id))).first()
    return None if row is None else Candidate(*row)


def _with_passwords() -> Any:
    return (
        select(User, Password.hash, Tenant.name)
        .join(Password, Password.user_id == User.id)
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(User.disabled_at.is_(None))
    )


async def users_of_addresses(
    session: AsyncSession, addresses: Collection[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    """Return the active users with these addresses, each given as (the company's name, the address).

    Of several users with one address, staff come before clients and older ones before newer ones, so that adding an
    address to a client's users never takes over an existing user's sign-in.
    """
    if not addresses:
        return {}
    wanted = {(company, email): (company, email.strip().lower()) for company, email in addresses}
    rows = await session.execute(
        select(Tenant.name, User.email, User.id)
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(
            among(Tenant.name, {company for company, _ in wanted.values()}),
            among(User.email, {email for _, email in wanted.values()}),
            User.disabled_at.is_(None),
        )
        .order_by(
            User.role.not_in(CLIENTS), User.id.desc()
        )  # later rows of an address replace earlier ones
    )
    found = {(company, email): user_id for company, email, user_id in rows}
    return {asked: found[kept] for asked, kept in wanted.items() if kept in found}


async def current(
    session: AsyncSession, sign_in_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, str]:
    """Return which of these sessions are valid, with their sign-in method; records their use, to the minute."""
    if not sign_in_ids:
        return {}
    rows = await session.execute(
        select(SignIn.id, SignIn.seen_at, SignIn.method).where(
            among(SignIn.id, sign_in_ids),
            SignIn.ended_at.is_(None),
            SignIn.started_at > at - ABSOLUTE,
        )
    )
    found = rows.all()
    minute = at.replace(second=0, microsecond=0)
    unnoted = [row.id for row in found if row.seen_at is None or row.seen_at < minute]
    if unnoted:
        await session.execute(
            update(SignIn)
            .where(among(SignIn.id, unnoted))
            .values(seen_at=minute)
            .execution_options(synchronize_session=False)
        )
    return {row.id: row.method for row in found}


def is_over(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a session has ended, is too old, or was not used for too long."""
    return or_(
        SignIn.ended_at.is_not(None),
        SignIn.started_at <= at - ABSOLUTE,
        SignIn.renewed_at <= at - IDLE,
    )


async def sign_in_of(session: AsyncSession, presented: str) -> SignIn | None:
    """Return the sign-in of a refresh token, used or not."""
    sign_in: SignIn | None = await session.scalar(
        select(SignIn)
        .join(RefreshToken, RefreshToken.sign_in_id == SignIn.id)
        .where(RefreshToken.secret_sha256 == sha256_of(presented))
        .with_for_update(of=SignIn)
    )
    return sign_in


async def actors_of_devices(session: AsyncSession, presented: Collection[str]) -> dict[str, Actor]:
    """Return the users of devices as actors; unknown and revoked devices, and those of disabled users, are left out."""
    if not presented:
        return {}
    tokens = {sha256_of(each): each for each in presented}
    rows = (
        await session.execute(
            select(Device.secret_sha256, Device.id, Device.user_id).where(
                among(Device.secret_sha256, tokens), Device.revoked_at.is_(None)
            )
        )
    ).all()
    users = await actors_of_users(session, {user_id for _, _, user_id in rows})
    return {
        tokens[secret]: replace(users[user_id], subject=f"device:{device_id}")
        for secret, device_id, user_id in rows
        if user_id in users
    }
