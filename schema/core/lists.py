"""Lists: the rows visible to an actor, filtered by arguments, one page at a time."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import strawberry
from sqlalchemy import Select, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from domain.access import visible_to
from domain.core.base import among as one_of
from schema.core import ids
from schema.core.argument_groups import flattened, ungrouped
from schema.core.bounds import must_be_bounded
from schema.core.context import Info
from schema.core.pagination import (
    After,
    Before,
    Connection,
    First,
    Last,
    Order,
    Page,
    PageArguments,
    page,
)
from schema.core.types import describe_arguments, described

Rows = Select[Any]


class Ordered(NamedTuple):
    """Rows in an order chosen by the arguments."""

    rows: Rows
    order: Order


AccountFilter = Annotated[strawberry.ID | None, "Only rows of this account."]


def lists(
    shown: Any, *columns: InstrumentedAttribute[Any], descending: bool = False
) -> Callable[[Any], Any]:
    """Make a field that returns pages of `shown` from a static `rows(info, …)`; its docstring is the description.

    `rows` returns the query, limited to visible rows, and its arguments are the list's filters; `columns`
    give the order, unless `rows` returns an order of its own. Every list has the same paging arguments.
    """
    order = Order(columns, descending)

    def decorate(static: Any) -> Any:
        rows: Callable[..., Rows | Ordered] = ungrouped(static.__func__)

        async def resolve(
            info: Info,
            first: First = None,
            after: After = None,
            last: Last = None,
            before: Before = None,
            **filters: Any,
        ) -> Page:
            must_be_bounded({**filters, "after": after, "before": before})
            window = PageArguments(first, after, last, before)
            found = rows(info, **filters)
            if not isinstance(found, Ordered):
                found = Ordered(found, order)
            only = getattr(info, "columns", None)  # a plan knows what is read of the rows
            return await page(info.context, found.rows, found.order, window, only)

        describe_arguments(rows)
        describe_arguments(resolve)
        edges = inspect.signature(resolve).parameters
        resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what Strawberry reads of a function
            [
                *map(_argument, flattened(rows)),
                *(_argument(edges[name]) for name in ("first", "after", "last", "before")),
            ]
        )
        return strawberry.field(
            resolve,
            graphql_type=Connection[shown],
            description=inspect.getdoc(rows),
            metadata={"work": 0, "shows_rows": True},
        )

    return decorate


def _argument(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return the parameter as Strawberry reads it: by keyword, except `info`, and with its description."""
    if parameter.name == "info":
        return parameter
    return parameter.replace(
        kind=inspect.Parameter.KEYWORD_ONLY, annotation=described(parameter.annotation)
    )


def visible(info: Info, model: Any, account_id: str | None = None) -> Rows:
    """Return the query of all visible rows of a model, or of one client's if one is named."""
    query: Rows = select(model).where(visible_to(info.context.actor, model))
    if account_id is None:
        return query
    return naming(info, query, model.account_id, "Account", account_id)


def naming(info: Info, query: Rows, column: Any, type_name: str, text: str | None) -> Rows:
    """Filter a query by a referenced row, if one is given.

    Selects nothing for an invalid id, and nothing for a row that is not visible to the actor: otherwise the
    filter would reveal what the field that shows the row hides.
    """
    if text is None:
        return query
    row_id = ids.known(text, type_name)
    if row_id is None:
        return query.where(false())
    model = ids.NODES[type_name]
    actor = info.context.actor
    if not hasattr(model, "merged_into_id"):
        seen = select(model.id).where(model.id == row_id, visible_to(actor, model))
        return query.where(column == row_id, seen.correlate(None).exists())
    old = aliased(model)
    stays = select(func.coalesce(old.merged_into_id, old.id)).where(old.id == row_id)
    kept = stays.correlate(None).scalar_subquery()
    seen = select(model.id).where(model.id == kept, visible_to(actor, model))
    same = select(old.id).where(or_(old.id == kept, old.merged_into_id == kept))
    return query.where(column.in_(same.correlate(None)), seen.correlate(None).exists())


def among(query: Rows, column: Any, values: list[Any] | None) -> Rows:
    """Filter a column by these values, if any are given."""
    return query if values is None else query.where(one_of(column, set(values)))
