"""Pagination: keyset connections. A cursor is the sealed sort key of its row, so every page costs the same."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
import strawberry
from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from domain.core import cursor
from domain.core.errors import Code, Refused
from schema.core.context import Context
from schema.core.loaders import checked
from schema.core.reading import read_rows
from schema.core.types import from_row, resolver

DEFAULT = 50
COUNTED = 10_000
"""Rows are counted up to this number, which takes a few milliseconds."""
COUNTING = 100
"""Cost of counting, in units of one field read from a row."""
T = TypeVar("T")

First = Annotated[
    int | None, "Number of rows from the start of the list: 50 by default, at most 100."
]
After = Annotated[str | None, "Cursor after which the page starts."]
Last = Annotated[
    int | None, "Number of rows from the end of the list, at most 100; instead of `first`."
]
Before = Annotated[str | None, "Cursor before which the page ends."]


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The requested page: `first … after` or `last … before`, as given by the client."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backward(self) -> bool:
        """Whether the page is counted from the end."""
        return self.last is not None or (self.before is not None and self.first is None)

    @property
    def size(self) -> int:
        """The number of rows; refused outside 0 … 100."""
        if self.first is not None and self.last is not None:
            raise Refused(Code.INVALID, "Give first or last, not both.", argument="last")
        name = "last" if self.backward else "first"
        given = self.last if self.backward else self.first
        return checked(DEFAULT if given is None else given, name)


@dataclass(frozen=True, slots=True)
class Order:
    """A total order: the columns (the last one unique), all ascending or all descending.

    `keys` names the attributes of a row that hold their values, where their names differ from the columns'.
    """

    columns: tuple[InstrumentedAttribute[Any], ...]
    descending: bool = False
    keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the order, which a cursor must match."""
        return ",".join(str(column) for column in self.columns)


@dataclass(frozen=True, slots=True)
class EdgeData:
    """A row and its cursor, which is sealed when it is read: most queries read no edges."""

    node: Any
    cursor_of: Callable[[Any], str]

    @property
    def cursor(self) -> str:
        """The row's position in the list."""
        return self.cursor_of(self.node)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whether rows precede and follow the page, and the cursors of its ends."""

    has_next_page: bool
    has_previous_page: bool
    first: EdgeData | None
    last: EdgeData | None

    @property
    def start_cursor(self) -> str | None:
        """Cursor of the first row."""
        return None if self.first is None else self.first.cursor

    @property
    def end_cursor(self) -> str | None:
        """Cursor of the last row."""
        return None if self.last is None else self.last.cursor


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows with its bounds."""

    edges: list[EdgeData]
    page_info: Bounds
    counted: Callable[[], Awaitable[int | None]] | None = None

    @property
    def nodes(self) -> list[Any]:
        """Rows of the page, without their cursors."""
        return [place.node for place in self.edges]


@from_row(Bounds)
class PageInfo:
    """Position of a page in its list: its cursors, and whether rows precede or follow."""

    has_next_page: Annotated[bool, "Whether rows follow this page."]
    has_previous_page: Annotated[bool, "Whether rows precede this page."]
    start_cursor: Annotated[str | None, "Cursor of the first row; null on an empty page."]
    end_cursor: Annotated[str | None, "Cursor of the last row; null on an empty page."]


@strawberry.type(description="Row of a connection with its cursor.")
class Edge(Generic[T]):
    """A row and its cursor."""

    node: T = strawberry.field(description="The row at this position.")
    cursor: str = strawberry.field(description="Opaque position of the row in the list.")


@strawberry.type(description="Page of rows (Relay connection).")
class Connection(Generic[T]):
    """A page as GraphQL clients know it."""

    edges: list[Edge[T]] = strawberry.field(description="Rows of the page with their cursors.")
    nodes: list[T] = strawberry.field(description="Rows of the page, without their cursors.")
    page_info: PageInfo = strawberry.field(description="Position of the page in the list.")

    @resolver(int | None, work=COUNTING)
    @staticmethod
    async def total_count(row: strawberry.Parent[Page]) -> int | None:
        """Number of rows on all pages; null above 10,000, and for lists that are not counted."""
        return None if row.counted is None else await row.counted()


async def page(
    ctx: Context,
    query: Select[Any],
    order: Order,
    window: PageArguments,
    only: frozenset[str] | None = None,
) -> Page:
    """Run `query`, limited to visible rows by the caller, for one page, plus one row to see whether more follow.

    With `only`, nothing but these attributes of the rows and those of the order is read.
    """
    size, backward = window.size, window.backward
    whole = query
    key = tuple_(*order.columns)
    for token, behind in ((window.after, True), (window.before, False)):
        if token is not None:
            place = tuple_(*_decode(ctx, order, token, "after" if behind else "before"))
            query = query.where(key < place if behind == order.descending else key > place)
    down = order.descending != backward
    query = query.order_by(*(c.desc() if down else c.asc() for c in order.columns)).limit(size + 1)
    if only is not None:
        only |= {*order.keys, *(column.key for column in order.columns)}
    rows = await read_rows(ctx.sessions, query, only)

    async def counted() -> int | None:
        some = whole.with_only_columns(literal(1)).order_by(None).limit(COUNTED + 1).subquery()
        async with ctx.sessions() as session:
            found = await session.scalar(select(func.count()).select_from(some))
        return None if found is None or found > COUNTED else found

    found = arranged(rows, window, lambda row: _encode(ctx, order, row))
    return replace(found, counted=counted)


def arranged(rows: list[Any], window: PageArguments, cursor_of: Callable[[Any], str]) -> Page:
    """Build the page from rows fetched in the page's direction with one row more than requested."""
    size, backward = window.size, window.backward
    more, rows = len(rows) > size, rows[:size]
    if backward:
        rows.reverse()
    places = [EdgeData(row, cursor_of) for row in rows]
    return Page(
        places,
        Bounds(
            has_next_page=window.before is not None if backward else more,
            has_previous_page=more if backward else window.after is not None,
            first=places[0] if places else None,
            last=places[-1] if places else None,
        ),
    )


def _encode(ctx: Context, order: Order, row: Any) -> str:
    keys = order.keys or tuple(column.key for column in order.columns)
    key = [msgspec.to_builtins(getattr(row, name)) for name in keys]
    return cursor.encode(ctx.secret, ctx.actor.tenant_id, [order.name, *key])


def _decode(ctx: Context, order: Order, token: str, argument: str) -> Sequence[Any]:
    try:
        name, *key = cursor.decode(ctx.secret, ctx.actor.tenant_id, token)
        if name == order.name and len(key) == len(order.columns):
            return [_typed(value, column) for value, column in zip(key, order.columns, strict=True)]
    except (Refused, ValueError):
        pass
    raise Refused(
        Code.CURSOR_INVALID,
        "This cursor does not belong to this list or order; start without a cursor.",
        argument=argument,
    )


def _typed(value: cursor.Value, column: InstrumentedAttribute[Any]) -> Any:
    kind = column.type.python_type
    return msgspec.convert(value, kind) if kind in {datetime, date, UUID, int} else value
