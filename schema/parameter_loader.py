"""Loader of the parameters that apply to accounts and sites: two queries for any number of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from strawberry.dataloader import DataLoader

from domain import parameters
from domain.access import Actor
from domain.core.db import Sessions
from domain.parameters import EffectiveParameter, ParameterScope
from schema.core.context import Info

ParameterNames = Annotated[list[str] | None, "Only the parameters of these names; null for all."]
ParametersAt = Annotated[datetime | None, "Instant at which the values apply; null for now."]


class ParameterKey(NamedTuple):
    """Account or site, the names of the parameters to read (None: all), and the instant at which they apply."""

    scope: ParameterScope
    names: tuple[str, ...] | None
    at: datetime


def effective(
    make: Sessions, actor: Actor
) -> DataLoader[ParameterKey, Sequence[EffectiveParameter]]:
    """Make a loader of the values that apply, of the parameters that the actor may read."""

    async def batch(keys: list[ParameterKey]) -> Sequence[Sequence[EffectiveParameter]]:
        wanted = {
            names: parameters.readable_definitions(actor, names)
            for names in {key.names for key in keys}
        }
        every = {each.name: each for found in wanted.values() for each in found}
        async with make() as session:
            values = await parameters.load_values(
                session,
                {key.scope for key in keys},
                list(every.values()),
                until=max(key.at for key in keys),
            )
        return [
            [values.effective(each, key.scope, at=key.at) for each in wanted[key.names]]
            for key in keys
        ]

    return DataLoader(batch)


async def effective_of(
    info: Info, scope: ParameterScope, names: list[str] | None, at: datetime | None
) -> Sequence[EffectiveParameter]:
    """Return the values that apply in a scope; siblings share their queries."""
    chosen = None if names is None else tuple(names)
    return await info.context.load(effective, ParameterKey(scope, chosen, at or info.context.at))
