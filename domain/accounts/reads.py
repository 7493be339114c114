"""Resolve a signed-in user or a presented key to an actor."""

import hmac
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor
from domain.access.rights import rights_of_scopes
from domain.accounts.model import ApiKey, Reach, User
from domain.accounts.rules import parse_key
from domain.core.base import among


async def actors_of_users(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, Actor]:
    """Return the actors of users at present, in two queries for any number; unknown and disabled users are left out."""
    if not user_ids:
        return {}
    users = await session.execute(
        select(User.id, User.tenant_id, User.role).where(
            among(User.id, user_ids), User.disabled_at.is_(None)
        )
    )
    reach: dict[UUID, set[UUID]] = defaultdict(set)
    for user_id, account_id in await session.execute(
        select(Reach.user_id, Reach.account_id).where(among(Reach.user_id, user_ids))
    ):
        reach[user_id].add(account_id)
    return {
        user_id: Actor(
            tenant_id,
            role,
            f"user:{user_id}",
            frozenset(reach[user_id]) if user_id in reach or role in CLIENTS else None,
        )
        for user_id, tenant_id, role in users
    }


async def actor_of_user(session: AsyncSession, user_id: UUID) -> Actor | None:
    """Return the actor of a user at present, None when unknown or disabled."""
    return (await actors_of_users(session, (user_id,))).get(user_id)


async def actors_of_keys(
    session: AsyncSession, presented: Collection[str], *, at: datetime
) -> dict[str, Actor]:
    """Return the actors of API keys; malformed, unknown, revoked and expired (at `at`) keys are left out."""
    keys = {each: key for each in presented if (key := parse_key(each)) is not None}
    if not keys:
        return {}
    found = await session.scalars(
        select(ApiKey).where(among(ApiKey.prefix, [key.prefix for key in keys.values()]))
    )
    rows = {row.prefix: row for row in found}
    return {
        each: actor
        for each, key in keys.items()
        if (row := rows.get(key.prefix)) is not None
        and hmac.compare_digest(row.secret_sha256, key.secret_sha256)
        and (actor := actor_of_row(row, at=at)) is not None
    }


def actor_of_row(key: ApiKey, *, at: datetime) -> Actor | None:
    """Return the actor of a key's row, for background work in its name; None when revoked or expired at `at`."""
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        return None
    accounts = None if key.account_ids is None else frozenset(key.account_ids)
    granted = None if key.scopes is None else rights_of_scopes(key.scopes)
    return Actor(key.tenant_id, key.role, f"key:{key.id}", accounts, granted=granted)


async def note_key_use(session: AsyncSession, actors: Collection[Actor], *, at: datetime) -> None:
    """Record the last use of keys, to the minute, so that a busy key is not written on each request."""
    minute = at.replace(second=0, microsecond=0)
    key_ids = [UUID(actor.subject.removeprefix("key:")) for actor in actors]
    await session.execute(
        update(ApiKey)
        .where(among(ApiKey.id, key_ids), ApiKey.last_used_at.is_distinct_from(minute))
        .values(last_used_at=minute)
        .execution_options(synchronize_session=False)
    )
