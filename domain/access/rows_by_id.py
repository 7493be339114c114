"""Load one row by its id for an actor."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access.actor import Actor
from domain.core.base import Keyed
from domain.core.errors import Code, Refused

M = TypeVar("M", bound=Keyed)


async def row_of(
    session: AsyncSession,
    actor: Actor,
    kind: type[M],
    id: UUID,
    noun: str,
    *,
    argument: str = "id",
    lock: bool = False,
    among: ColumnElement[bool] | None = None,
) -> M:
    """Return a row of the actor's company and accounts; `lock` keeps others from changing it. Refuses an unknown id.

    `among` is the condition for the rows that the action is about, where it is another one.
    """
    reached = actor.scope(kind) if among is None else among
    query = select(kind).where(kind.id == id, reached)
    found = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"No such {noun}.", argument=argument)
    if getattr(found, "merged_into_id", None) is not None:
        words = f"This {noun} was merged into another one. Read it again for the id that stays."
        raise Refused(Code.NOT_FOUND, words, argument=argument)
    return found
