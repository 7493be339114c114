"""Names of actors, as visible to the reader."""

from collections.abc import Awaitable, Sequence
from uuid import UUID

from strawberry.dataloader import DataLoader

from domain.access import Actor
from domain.core.db import Sessions
from domain.duties import Doer, knows, names_of
from schema.core.context import Info
from schema.core.loaders import BATCH


def shown(info: Info, account_id: UUID | None, subject: str) -> str | Awaitable[str]:
    """Return the subject itself, or the name that the reader sees instead of it."""
    if knows(info.context.actor, subject):
        return subject
    return info.context.load(_names, Doer(account_id, subject))


def _names(make: Sessions, actor: Actor) -> DataLoader[Doer, str]:
    """Make a loader of the names that the actor sees instead of subjects."""

    async def batch(keys: list[Doer]) -> Sequence[str]:
        async with make() as session:
            names = await names_of(session, actor, keys)
        return [names[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)
