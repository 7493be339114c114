"""One change of the data: its transaction, the actor, and the time at which it happens."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access.actor import Actor
from domain.access.rows_by_id import row_of
from domain.core import ledger
from domain.core.base import Keyed

M = TypeVar("M", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Tx:
    """The database session that holds the transaction, the actor, and the time of the change."""

    session: AsyncSession
    actor: Actor
    at: datetime

    def as_of(self, at: datetime) -> Self:
        """Return the same transaction and actor with another time of the change."""
        return replace(self, at=at)

    async def get(
        self,
        kind: type[M],
        id: UUID,
        noun: str,
        *,
        argument: str = "id",
        lock: bool = False,
        among: ColumnElement[bool] | None = None,
    ) -> M:
        """Load a row of the actor's company and accounts; `lock` keeps others from changing it. Refuses an unknown id.

        The refusal calls the row `noun` and names the argument that held the id. `among` is the condition for the
        rows that the action is about, where it is another one.
        """
        return await row_of(
            self.session, self.actor, kind, id, noun, argument=argument, lock=lock, among=among
        )

    def record(self, fact: ledger.Fact, *, once_key: str | None = None) -> ledger.LedgerRow:
        """Write a fact in the transaction; a second fact with the same `once_key` fails."""
        return ledger.record(self.session, self.actor, fact, once_key=once_key)
