"""Loaders: one batch per relation, each in a short read session of its own (sibling fields load at the same time).

A loader is made when its relation is first read, so a request that reads one relation makes one. A set of
loaders belongs to one request, or to one event of a subscription, and to one actor, whose visibility
conditions each batch applies.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import column as a_column
from sqlalchemy import func, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import Integer, Uuid
from strawberry.dataloader import DataLoader

from domain.access import Actor, visible_to
from domain.accounts import Contact
from domain.core.db import Sessions
from domain.core.errors import Code, Refused

BATCH = 500
MOST = 100
"""Rows that a page or a relation returns at most."""
K = TypeVar("K")
V = TypeVar("V")
Column = InstrumentedAttribute[Any]
MakeLoader = Callable[[Sessions, Actor], DataLoader[K, V]]


def checked(count: int, argument: str) -> int:
    """Check a number of rows; refuse one outside 0 … 100."""
    if not 0 <= count <= MOST:
        raise Refused(Code.INVALID, f"{argument} must be 0 to {MOST}.", argument=argument)
    return count


class ChildOrder(NamedTuple):
    """The order of children: by these columns, all ascending or all descending."""

    columns: tuple[Column, ...]
    descending: bool

    @property
    def clauses(self) -> list[Any]:
        """The order as SQL."""
        return [each.desc() if self.descending else each for each in self.columns]


class Some(NamedTuple):
    """The first children of a parent, `most` at most."""

    parent: UUID
    most: int


class Loaders:
    """The loaders used by one request, by column (and order) or by the function that made them."""

    def __init__(self, sessions: Sessions, actor: Actor) -> None:
        self.personal: set[UUID] = set()
        """Accounts whose contacts were read."""
        self._sessions = sessions
        self._actor = actor
        self._made: dict[object, DataLoader[Any, Any]] = {}

    def one(self, column: Column) -> DataLoader[Any, Any]:
        """Load rows by a unique column; None for a row that does not exist or is not visible to the actor."""
        return self._made.get(column) or self._keep(column, self._one(column))

    def many(self, column: Column, order: ChildOrder) -> DataLoader[UUID, list[Any]]:
        """Load all children of a parent by their foreign key."""
        key = (column, order)
        return self._made.get(key) or self._keep(key, self._many(column, order))

    def some(self, column: Column, order: ChildOrder) -> DataLoader[Some, list[Any]]:
        """Load the first children of a parent by their foreign key."""
        key = (Some, column, order)
        return self._made.get(key) or self._keep(key, self._some(column, order))

    def by(self, make: MakeLoader[K, V]) -> DataLoader[K, V]:
        """Return the loader of this function, made with the sessions and the actor when it is first used."""
        return self._made.get(make) or self._keep(make, make(self._sessions, self._actor))

    def _keep(self, key: object, loader: DataLoader[K, V]) -> DataLoader[K, V]:
        self._made[key] = loader
        return loader

    def _note(self, row: Any) -> None:
        if isinstance(row, Contact):
            self.personal.add(row.account_id)

    def _one(self, column: Column) -> DataLoader[Any, Any]:
        model: Any = column.class_

        async def batch(keys: list[Any]) -> Sequence[Any]:
            query = select(model).where(column.in_(keys), visible_to(self._actor, model))
            async with self._sessions() as session:
                rows = await session.scalars(query)
                found = {getattr(row, column.key): row for row in rows}
            for row in found.values():
                self._note(row)
            return [found.get(key) for key in keys]

        return DataLoader(batch, max_batch_size=BATCH)

    def _many(self, column: Column, order: ChildOrder) -> DataLoader[UUID, list[Any]]:
        model: Any = column.class_

        async def batch(keys: list[UUID]) -> Sequence[list[Any]]:
            query = select(model).where(column.in_(keys), visible_to(self._actor, model))
            found: defaultdict[UUID, list[Any]] = defaultdict(list)
            async with self._sessions() as session:
                for row in await session.scalars(query.order_by(*order.clauses)):
                    found[getattr(row, column.key)].append(row)
                    self._note(row)
            return [found[key] for key in keys]

        return DataLoader(batch, max_batch_size=BATCH)

    def _some(self, column: Column, order: ChildOrder) -> DataLoader[Some, list[Any]]:
        """Load by one index scan per parent, in one statement (LATERAL)."""
        model: Any = column.class_

        async def batch(keys: list[Some]) -> Sequence[list[Any]]:
            # Arrays, because VALUES would be another statement, compiled anew, for each number of parents.
            asked = (
                func.unnest(
                    literal([key.parent for key in keys], ARRAY(Uuid)),
                    literal([key.most for key in keys], ARRAY(Integer)),
                )
                .table_valued(a_column("parent", Uuid), a_column("wanted", Integer))
                .render_derived("asked")
            )
            inner = (
                select(model)
                .where(column == asked.c.parent, visible_to(self._actor, model))
                .order_by(*order.clauses)
                .limit(asked.c.wanted)
                .lateral()
            )
            row_of = aliased(model, inner)
            query = select(asked.c.parent, asked.c.wanted, row_of).join_from(asked, inner, true())
            found: defaultdict[Some, list[Any]] = defaultdict(list)
            async with self._sessions() as session:
                for parent, most, row in await session.execute(query):
                    found[Some(parent, most)].append(row)
                    self._note(row)
            return [found[key] for key in keys]

        return DataLoader(batch, max_batch_size=BATCH)
