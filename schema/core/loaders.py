"""Loaders: one batch per relation, each in a short read session of its own (sibling fields load at the same time).

A loader is made when its relation is first read, so a request that reads one relation makes one. A set of
loaders belongs to one request, or to one event of a subscription, and to one actor, whose visibility
conditions each batch applies.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from cachetools import LRUCache
from sqlalchemy import BindParameter, ColumnElement, Select, any_, bindparam, func, select, true
from sqlalchemy import column as a_column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import Integer, Uuid
from strawberry.dataloader import DataLoader

from domain.access import Actor, visible_to
from domain.accounts import Contact
from domain.core.db import Sessions
from domain.core.errors import Code, Refused
from domain.core.prepared_rows import PreparedRows, RowReader, rows_of

BATCH = 500
MOST = 100
"""Rows that a page or a relation returns at most."""
KEPT = 3_000
"""Statements that are kept compiled, one for each relation and authority; about 10 kB each."""
_prepared: LRUCache[object, PreparedRows] = LRUCache(KEPT)
_DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
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

    async def some_of_each(
        self,
        column: Column,
        order: ChildOrder,
        parents: Sequence[UUID],
        most: int,
        only: frozenset[str] | None = None,
    ) -> Sequence[list[Any]]:
        """Load the first children of each of these parents, with these attributes; nothing is kept."""
        if only is not None and column.class_ is Contact:
            only |= {"account_id"}  # for the record of who read personal data
        found: list[list[Any]] = []
        for start in range(0, len(parents), BATCH):
            keys = [Some(parent, most) for parent in parents[start : start + BATCH]]
            found += await self._first_children(column, order, keys, only)
        return found

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

        def query() -> Select[Any]:
            return rows_of(model).where(_is_one_of(column), visible_to(self._actor, model))

        async def batch(keys: list[Any]) -> Sequence[Any]:
            found: dict[Any, Any] = {}
            for _, row in await self._read(("one", column), model, query, keys=keys):
                found[getattr(row, column.key)] = row
                self._note(row)
            gone = [key for key in keys if key not in found]
            if gone and column.key == "id" and hasattr(model, "merged_into_id"):
                found |= await self._survivors(model, gone)
            return [found.get(key) for key in keys]

        return DataLoader(batch, max_batch_size=BATCH)

    async def _survivors(self, model: Any, gone: list[UUID]) -> dict[UUID, Any]:
        """Return the rows into which rows were merged, by the ids of those that went."""
        old = aliased(model)
        query = (
            select(old.id, model)
            .join(old, old.merged_into_id == model.id)
            .where(old.id.in_(gone), visible_to(self._actor, model))
        )
        async with self._sessions() as session:
            found = {each[0]: each[1] for each in await session.execute(query)}
        for row in found.values():
            self._note(row)
        return found

    def _many(self, column: Column, order: ChildOrder) -> DataLoader[UUID, list[Any]]:
        model: Any = column.class_

        def query() -> Select[Any]:
            rows = rows_of(model).where(_is_one_of(column), visible_to(self._actor, model))
            return rows.order_by(*order.clauses)

        async def batch(keys: list[UUID]) -> Sequence[list[Any]]:
            found: defaultdict[UUID, list[Any]] = defaultdict(list)
            for _, row in await self._read(("many", column, order), model, query, keys=keys):
                found[getattr(row, column.key)].append(row)
                self._note(row)
            return [found[key] for key in keys]

        return DataLoader(batch, max_batch_size=BATCH)

    def _some(self, column: Column, order: ChildOrder) -> DataLoader[Some, list[Any]]:
        async def batch(keys: list[Some]) -> Sequence[list[Any]]:
            return await self._first_children(column, order, keys)

        return DataLoader(batch, max_batch_size=BATCH)

    async def _first_children(
        self,
        column: Column,
        order: ChildOrder,
        keys: Sequence[Some],
        only: frozenset[str] | None = None,
    ) -> list[list[Any]]:
        """Load by one index scan per parent, in one statement (LATERAL)."""
        model: Any = column.class_

        def query() -> Select[Any]:
            # Arrays, because VALUES would be another statement, compiled anew, for each number of parents.
            asked = (
                func.unnest(_parameter("parents", Uuid()), _parameter("wanted", Integer()))
                .table_valued(a_column("parent", Uuid), a_column("wanted", Integer))
                .render_derived("asked")
            )
            inner = (
                rows_of(model, only)
                .where(column == asked.c.parent, visible_to(self._actor, model))
                .order_by(*order.clauses)
                .limit(asked.c.wanted)
                .lateral()
            )
            return select(asked.c.parent, asked.c.wanted, *inner.c).join_from(asked, inner, true())

        found: defaultdict[tuple[UUID, int], list[Any]] = defaultdict(list)
        parents, wanted = [key.parent for key in keys], [key.most for key in keys]
        read = ("some", column, order, only)
        rows = await self._read(read, model, query, 2, only, parents=parents, wanted=wanted)
        for place, row in rows:
            found[place].append(row)  # type: ignore[index]  # a parent, and how many it was asked for
        if model is Contact:
            self.personal.update(row.account_id for _, row in rows)
        return [found[key] for key in keys]

    async def _read(
        self,
        read: tuple[object, ...],
        model: Any,
        query: Callable[[], Select[Any]],
        before: int = 0,
        only: frozenset[str] | None = None,
        **given: Sequence[Any],
    ) -> list[tuple[Sequence[Any], Any]]:
        """Run a read; return its rows, each with the columns before it."""
        reader: RowReader | None = getattr(self._sessions, "reader", None)
        dialect = _DIALECT if reader is None else reader.dialect
        key = (dialect, *read, self._actor.authority, self._actor.subject)
        prepared = _prepared.get(key)
        if prepared is None:
            prepared = _prepared[key] = PreparedRows(model, query(), dialect, before, only=only)
        records = None
        if reader is not None:
            records = await reader.fetch(prepared.sql, prepared.arguments(given))
        if records is None:
            async with self._sessions() as session:
                records = list(await session.execute(query(), given))
            return [(tuple(record[:before]), prepared.converted(record)) for record in records]
        return [(record[:before], prepared.row(record)) for record in records]


def _parameter(name: str, kind: Any) -> BindParameter[Any]:
    return bindparam(name, [], type_=ARRAY(kind))


def _is_one_of(column: Column) -> ColumnElement[bool]:
    return column == any_(_parameter("keys", column.type))
