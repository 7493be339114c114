"""Who did something, as its reader may know it."""

from collections.abc import Awaitable
from uuid import UUID

from domain.duties.pseudonyms import Doer, knows
from schema.core.context import Info


def shown(info: Info, account_id: UUID | None, subject: str) -> str | Awaitable[str]:
    """Answer with the subject itself, or with what the reader is shown instead of it."""
    if knows(info.context.actor, subject):
        return subject
    return info.context.loaders.name_of_doer.load(Doer(account_id, subject))
