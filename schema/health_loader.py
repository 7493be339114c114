"""Loader of the health of accounts at instants: a constant number of queries for any number of accounts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from strawberry.dataloader import DataLoader

from domain import health, touchpoints
from domain.access import Actor, visible_to
from domain.core.base import among
from domain.core.db import Sessions
from domain.core.errors import Code, Refused
from schema.core.context import Info


class HealthInstant(NamedTuple):
    """Account, the instant of its health, and until when facts were recorded that count (None: all)."""

    account_id: UUID
    at: datetime
    known_at: datetime | None = None


def health_at(make: Sessions, actor: Actor) -> DataLoader[HealthInstant, health.AccountHealth]:
    """Make a loader that computes the health of accounts; the caller checks that the actor may see it."""

    async def batch(keys: list[HealthInstant]) -> Sequence[health.AccountHealth]:
        wanted: defaultdict[tuple[datetime, datetime | None], set[UUID]] = defaultdict(set)
        for key in keys:
            wanted[key.at, key.known_at].add(key.account_id)
        found: dict[HealthInstant, health.AccountHealth] = {}
        async with make() as session:
            for (at, known_at), accounts in wanted.items():
                computed = await health.compute(
                    session, actor.tenant_id, accounts, at=at, known_at=known_at
                )
                for account_id, each in computed.items():
                    found[HealthInstant(account_id, at, known_at)] = health.AccountHealth(
                        id=account_id,
                        tenant_id=actor.tenant_id,
                        account_id=account_id,
                        is_shared=each.is_shared,
                        **each.columns,
                    )
        return [found[key] for key in keys]

    return DataLoader(batch)


def next_touchpoint(
    make: Sessions, actor: Actor
) -> DataLoader[UUID, touchpoints.Touchpoint | None]:
    """Make a loader of the open touchpoint of an account that is due first, if the actor may see touchpoints."""

    async def batch(account_ids: list[UUID]) -> Sequence[touchpoints.Touchpoint | None]:
        row = touchpoints.Touchpoint
        query = (
            select(row)
            .where(
                among(row.account_id, account_ids), row.done_at.is_(None), visible_to(actor, row)
            )
            .order_by(row.account_id, row.due_on, row.id)
            .ext(distinct_on(row.account_id))
        )
        async with make() as session:
            found = {each.account_id: each for each in await session.scalars(query)}
        return [found.get(each) for each in account_ids]

    return DataLoader(batch)


def within(first: int, most: int) -> int:
    """Check a number of rows; refuse one outside 1 to `most`."""
    if not 1 <= first <= most:
        raise Refused(Code.INVALID, f"first must be 1 to {most}.", argument="first")
    return first


async def portfolio_of(info: Info, first: int) -> Sequence[health.AccountHealth]:
    """Read the accounts with the lowest scores that the actor sees; those without a score come last."""
    row = health.AccountHealth
    query = (
        select(row)
        .where(visible_to(info.context.actor, row))
        .order_by(row.score_millionths.asc().nulls_last(), row.id)
        .limit(first)
    )
    async with info.context.sessions() as session:
        return (await session.scalars(query)).all()
