"""Who read personal data: reading contacts or positions is a fact, once an hour for each reader and account."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from cachetools import FIFOCache
from sqlalchemy.exc import IntegrityError

from domain import accounts, positions
from domain.access import Actor
from domain.core.db import Sessions, transaction

_noted: FIFOCache[tuple[str, str, UUID], datetime] = FIFOCache(50_000)


Note = Callable[..., Awaitable[None]]


async def note(make: Sessions, actor: Actor, account_ids: set[UUID], *, at: datetime) -> None:
    """Record that the actor has read about the contacts of these accounts; before the answer leaves."""
    await _note(make, actor, account_ids, "contacts", accounts.note_contacts_read, at)


async def note_positions(
    make: Sessions, actor: Actor, account_ids: set[UUID], *, at: datetime
) -> None:
    """Record that the actor has looked where the guards at these accounts are; before the answer leaves."""
    await _note(make, actor, account_ids, "positions", positions.note_read, at)


async def _note(
    make: Sessions, actor: Actor, account_ids: set[UUID], what: str, write: Note, at: datetime
) -> None:
    hour = at.replace(minute=0, second=0, microsecond=0)
    fresh = {each for each in account_ids if _noted.get((actor.subject, what, each)) != hour}
    account_ids.clear()
    for account_id in fresh:
        try:
            async with transaction(make) as session:
                await write(session, actor, account_id, hour=hour, at=at)
        except IntegrityError:
            pass  # another process has just said so
        _noted[actor.subject, what, account_id] = hour
