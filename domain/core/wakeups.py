"""Wake-ups: what makes periodic work look before its next poll.

PostgreSQL announces changes on two channels. A trigger announces on `changes` that a row falls due earlier than before,
or was added; its message names the column or the table. Numbering announces on `facts` the kinds of the facts that it
numbered. Both arrive when the transaction commits.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Interval,
    ScalarSelect,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.core.base import Base
from domain.core.deferral import Deferral

CHANGES = "changes"
FACTS = "facts"

_TENANTS = table(
    "tenant", column("id", Uuid)
)  # by name, because this module must not import `domain.accounts`
_ANNOUNCE = text("SELECT pg_notify(:channel, kind) FROM unnest(:kinds) AS kind").bindparams(
    bindparam("channel", FACTS, type_=TEXT), bindparam("kinds", type_=ARRAY(TEXT))
)


class DueColumn:
    """A column that holds when a row falls due; only rows that meet the conditions do.

    With `by_company` the index of the column begins with the company. With `after` the row falls due so long after the
    instant in the column; that is too far ahead to be announced, so such a column has no trigger.
    """

    def __init__(
        self,
        instant: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
        *conditions: ColumnElement[bool] | InstrumentedAttribute[bool],
        by_company: bool = False,
        after: timedelta = timedelta(0),
    ) -> None:
        self._instant = instant
        self._conditions = (instant.is_not(None), *conditions)
        self._by_company = by_company
        self._after = after

    @property
    def message(self) -> str | None:
        """The message of its trigger."""
        name = f"{self._instant.class_.__tablename__}.{self._instant.key}"
        return None if self._after else name

    def earliest(self) -> ScalarSelect[Any]:
        """Return the earliest instant at which a row falls due; null when none does."""
        if self._by_company:
            first = (
                select(self._instant.label("due_at"))
                .where(self._instant.class_.tenant_id == _TENANTS.c.id, *self._conditions)
                .order_by(self._instant)
                .limit(1)
                .correlate(_TENANTS)
                .lateral("first")
            )
            query: Select[Any] = (
                select(func.min(first.c.due_at)).select_from(_TENANTS).join(first, true())
            )
        else:
            query = select(func.min(self._instant) + literal(self._after, Interval))
            query = query.where(*self._conditions)
        return query.scalar_subquery()


class RowAdded:
    """A table; each row that is added wakes."""

    def __init__(self, model: type[Base]) -> None:
        self.message = model.__tablename__


class FactKinds:
    """Kinds of facts, by how their names begin; each fact of these kinds that is numbered wakes."""

    def __init__(self, *prefixes: str) -> None:
        self.prefixes = prefixes


WakeUp = DueColumn | RowAdded | FactKinds


def next_due(wakeups: Iterable[WakeUp]) -> Select[datetime | None]:
    """Select the earliest instant at which something falls due, or work that failed is tried again."""
    again = select(func.min(Deferral.next_try_at)).where(Deferral.next_try_at > func.now())
    instants = [each.earliest() for each in wakeups if isinstance(each, DueColumn)]
    return select(func.least(again.scalar_subquery(), *instants))


async def announce(session: AsyncSession, kinds: Iterable[str]) -> None:
    """Announce that facts of these kinds were numbered, when the transaction commits."""
    await session.execute(_ANNOUNCE, {"kinds": sorted(set(kinds))})
