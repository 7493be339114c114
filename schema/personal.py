"""Who read personal data: reading contacts is a fact of its own, once an hour for each reader and account."""

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from domain import accounts
from domain.actor import Actor
from domain.db import Sessions, transaction

_KEPT = 50_000
_noted: OrderedDict[tuple[str, UUID], datetime] = OrderedDict()


async def note(make: Sessions, actor: Actor, account_ids: set[UUID], *, at: datetime) -> None:
    """Record that the actor has read about the contacts of these accounts; before the answer leaves."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    fresh = {each for each in account_ids if _noted.get((actor.subject, each)) != hour}
    account_ids.clear()
    for account_id in fresh:
        try:
            async with transaction(make) as session:
                await accounts.note_contacts_read(session, actor, account_id, hour=hour, at=at)
        except IntegrityError:
            pass  # another process has just said so
        _noted[actor.subject, account_id] = hour
        while len(_noted) > _KEPT:
            _noted.popitem(last=False)
