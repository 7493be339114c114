"""Ask who somebody is: from a signed-in user or a presented key to an actor."""

import hmac
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import ApiKey, Reach, User
from domain.accounts.rules import parse_key
from domain.actor import CLIENTS, Actor


async def actor_of_user(
    session: AsyncSession, user_id: UUID, *, only: Collection[UUID] | None = None
) -> Actor | None:
    """The actor a user is right now, None when unknown or disabled; `only` narrows the accounts further."""
    user = await session.scalar(select(User).where(User.id == user_id, User.disabled_at.is_(None)))
    if user is None:
        return None
    reach = frozenset(
        await session.scalars(select(Reach.account_id).where(Reach.user_id == user.id))
    )
    accounts = reach if reach or user.role in CLIENTS else None
    if only is not None:
        accounts = frozenset(only) if accounts is None else accounts & frozenset(only)
    return Actor(user.tenant_id, user.role, f"user:{user.id}", accounts)


async def actor_of_key(session: AsyncSession, presented: str, *, at: datetime) -> Actor | None:
    """The actor an API key is, None when it is no key, unknown, revoked or expired at `at`."""
    key = parse_key(presented)
    if key is None:
        return None
    row = await session.scalar(select(ApiKey).where(ApiKey.prefix == key.prefix))
    if row is None or not hmac.compare_digest(row.secret_sha256, key.secret_sha256):
        return None
    return actor_of_row(row, at=at)


def actor_of_row(key: ApiKey, *, at: datetime) -> Actor | None:
    """The actor that a key's row is, for work that goes on in its name; None when revoked or expired at `at`."""
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        return None
    accounts = None if key.account_ids is None else frozenset(key.account_ids)
    return Actor(key.tenant_id, key.role, f"key:{key.id}", accounts)


async def note_key_use(session: AsyncSession, key_id: UUID, *, at: datetime) -> None:
    """Remember when a key was last used, to the minute: busy keys are not written at every request."""
    minute = at.replace(second=0, microsecond=0)
    await session.execute(
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.last_used_at.is_distinct_from(minute))
        .values(last_used_at=minute)
    )
