"""Loader of the health of accounts at instants: a constant number of queries for any number of accounts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain import health
from domain.access import Actor
from domain.core.db import Sessions


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
