"""Loader of estimates of leaving: a constant number of queries for any number of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain import retention
from domain.access import Actor, Right
from domain.core.db import Sessions
from domain.retention import ChurnHorizon, NumberShown, NumberWithheld


class ChurnKey(NamedTuple):
    """Account, horizon, and the instant of the estimate."""

    account_id: UUID
    horizon: ChurnHorizon
    at: datetime


def churn_of(
    make: Sessions, actor: Actor
) -> DataLoader[ChurnKey, NumberShown | NumberWithheld | None]:
    """Make a loader of estimates of accounts that the caller may see; None without access or a running agreement."""

    async def batch(keys: list[ChurnKey]) -> Sequence[NumberShown | NumberWithheld | None]:
        if not actor.may(Right.READ_HEALTH):
            return [None] * len(keys)
        at = keys[0].at
        wanted = [(key.account_id, key.horizon) for key in keys]
        async with make() as session:
            found = await retention.estimates(session, actor.tenant_id, wanted, at=at)
        return [None if each not in found else retention.shown(found[each]) for each in wanted]

    return DataLoader(batch)
