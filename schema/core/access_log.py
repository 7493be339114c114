"""Log of reads of personal data: one fact an hour for each reader and account."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from cachetools import FIFOCache
from sqlalchemy.exc import IntegrityError

from domain import accounts, positions
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction

_noted: FIFOCache[tuple[str, str, UUID], datetime] = FIFOCache(50_000)


Note = Callable[..., Awaitable[None]]


async def note(make: Sessions, actor: Actor, account_ids: set[UUID], *, at: datetime) -> None:
    """Record that the actor read about the contacts of these accounts, before the response is sent."""
    await _note(make, actor, account_ids, "contacts", accounts.note_contacts_read, at)


async def note_positions(
    make: Sessions, actor: Actor, account_ids: set[UUID], *, at: datetime
) -> None:
    """Record that the actor read the positions of guards at these accounts, before the response is sent."""
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
                await write(Tx(session, actor, at), account_id, hour=hour)
        except IntegrityError:
            pass  # another process has just recorded it
        _noted[actor.subject, what, account_id] = hour
