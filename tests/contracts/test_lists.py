"""What a list is ordered and narrowed by is no oracle: whoever may see its rows may read what is compared.

A role that may not read a field would else learn its values from the order of rows, from whether a filter leaves a row,
or from `totalCount`. The statements that the lists make are examined, for an actor without each right in turn: every
column that a filter or an order compares is shown by a field, or computed from rows, that the actor may read.
"""

import inspect
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin
from uuid import UUID

import pytest
import strawberry
from sqlalchemy import Column, Exists, Select
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, Grouping
from strawberry.schema.schema import Schema

from domain.access import Actor, Role, visible_to
from domain.access.fields import RIGHT_OF_FIELD
from domain.access.operations import QUERIES
from domain.access.rights import Right
from domain.access.rows import ROWS
from schema.build import build, nodes
from schema.core import ids
from schema.core.argument_groups import flattened
from schema.core.lists import Ordered
from schema.core.pagination import Order
from schema.core.scalars import WireNames

BUILT: Schema = build()
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
COMPANY, SOMEBODY, SOMETHING = (UUID(int=n) for n in (1, 2, 3))
NAMED = {"assignee_id": "User", "source_id": "ReviewSource"}
"""Filter → the type of the id that it takes, where its name does not say so."""
TYPES = {model.__tablename__: model.__name__ for model in nodes()}
SHOWN_AS = {"promise.announced_due_at": "dueAt", "sign_in.renewed_at": "endedAt"}
SHOWN_AS |= {"account_health.low_millionths": "low", "text_sentiment.disagrees": "scoreDisagrees"}
"""Column → the field that shows it, or whose value it decides, where the names differ."""
DERIVED: dict[str, tuple[Right, ...]] = {
    "promise_watch.first_due_at": (Right.READ_PROMISES, Right.READ_INTERNAL),
    "promise_watch.client_due_at": (Right.READ_PROMISES,),
}
"""Column that no field shows as it is → the rights of the rows that it is computed from."""
INSIDE = frozenset({"id", "seq", "tenant_id", "incident_id", "unit_id"})
"""Columns in whose order rows are made or by which they are joined, which say nothing about them."""


class Listing(NamedTuple):
    """A list at the root: its order, unless a question chooses another one, and what makes its rows."""

    order: Order
    rows: Any

    def filters(self) -> dict[str, Any]:
        """A value for each filter."""
        return {
            each.name: a_value(each.name, each.annotation)
            for each in flattened(self.rows)
            if each.name != "info"
        }


def a_value(name: str, annotation: Any) -> Any:
    """A value that a filter takes; of an order the last one, which is not taken unless it is asked for."""
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(kind) in {Union, UnionType}:
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if get_origin(kind) is list:
        return [a_value(name, get_args(kind)[0])]
    if kind is strawberry.ID:
        return ids.write(NAMED.get(name, name.removesuffix("_id").title()), SOMETHING)
    if issubclass(kind, StrEnum):
        return list(kind)[-1]
    return {datetime: NOW, date: NOW.date(), bool: True, str: "1", float: 0.5}[kind]


def listings() -> dict[str, Listing]:
    """The lists at the root, as their resolvers hold them."""
    found: dict[str, Listing] = {}
    definition: Any = BUILT.get_type_by_name("Query")
    for field in definition.fields:
        function = getattr(field.base_resolver, "wrapped_func", None)
        if function is None:
            continue
        held = inspect.getclosurevars(inspect.unwrap(function)).nonlocals
        if isinstance(held.get("order"), Order):
            found[WireNames().get_graphql_name(field)] = Listing(held["order"], held["rows"])
    return found


LISTINGS = listings()


def without(right: Right) -> Actor:
    """Somebody who may do everything but this."""
    everything = frozenset(Right)
    return Actor(COMPANY, Role.MANAGEMENT, f"user:{SOMEBODY}", granted=everything - {right})


def parts(condition: Any) -> Iterator[Any]:
    """The conditions that all hold where this one does."""
    while isinstance(condition, Grouping):
        condition = condition.element
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for each in condition.clauses:
            yield from parts(each)
    elif condition is not None:
        yield condition


def inside(condition: Exists) -> Select[Any]:
    """The rows that a condition asks for."""
    return next(each for each in visitors.iterate(condition) if isinstance(each, Select))


def is_nothing(condition: Any) -> bool:
    """Whether a condition never holds, whatever the rows are."""
    for each in parts(condition):
        if str(each) == "false":
            return True
        if isinstance(each, Exists) and is_nothing(inside(each).whereclause):
            return True
        either = isinstance(each, BooleanClauseList) and each.operator is operators.or_
        if either and all(is_nothing(one) for one in each.clauses):
            return True
    return False


def seen_by(actor: Actor, model: Any) -> set[str]:
    """The conditions under which an actor sees the rows of a model, as text."""
    return {str(each) for each in parts(visible_to(actor, model))}


def model_of(statement: Select[Any]) -> Any:
    """Whose rows a statement selects."""
    return statement.column_descriptions[0]["entity"]


def named_by(actor: Actor, condition: Any) -> str | None:
    """The table of which a condition asks for a row that the actor sees; None for another condition."""
    if not isinstance(condition, Exists):
        return None
    statement = inside(condition)
    model = model_of(statement)
    asked = {str(each) for each in parts(statement.whereclause)}
    name: str = model.__tablename__
    return name if seen_by(actor, model) <= asked else None


def compared(actor: Actor, name: str, **filters: Any) -> dict[str, Column[Any]]:
    """The columns that a list compares beyond what says whether the actor sees a row; none where it answers nothing.

    A reference to a row that the actor is asked to see is not among them.
    """
    info = SimpleNamespace(context=SimpleNamespace(actor=actor, at=NOW))
    rows = LISTINGS[name].rows
    found = rows(info, **filters)
    if not isinstance(found, Ordered):
        found = Ordered(found, LISTINGS[name].order)
    if is_nothing(found.rows.whereclause):
        return {}
    own = seen_by(actor, model_of(found.rows))
    asked = [each for each in parts(found.rows.whereclause) if str(each) not in own]
    named = {named_by(actor, each) for each in asked}
    asked = [each for each in asked if named_by(actor, each) is None]
    asked += [column.expression for column in found.order.columns]
    columns = [each for one in asked for each in visitors.iterate(one) if isinstance(each, Column)]
    return {
        str(each): each
        for each in columns
        if not any(key.column.table.name in named for key in each.foreign_keys)
    }


def rights_for(column: Column[Any], name: str) -> tuple[Right | None, ...] | None:
    """The rights that somebody needs to know what a column of a row says; None when no field shows it."""
    table, label = column.table.name, f"{column.table.name}.{column.name}"
    if label in DERIVED:
        return DERIVED[label]
    if column.name in INSIDE:
        return ()
    referred: tuple[Right, ...] = ()
    for key in column.foreign_keys:
        referred += ROWS[key.column.table.name].rights
    stem = column.name.removesuffix("_id") if column.foreign_keys else column.name
    field = TYPES.get(table, ""), SHOWN_AS.get(label, WireNames().apply_naming_config(stem))
    if field not in RIGHT_OF_FIELD:
        return None
    right = RIGHT_OF_FIELD[field]
    return (*referred, *(() if right is None or right in QUERIES[name] else (right,)))


@pytest.mark.parametrize("name", sorted(LISTINGS))
def test_a_list_compares_only_what_whoever_sees_its_rows_may_read(name: str) -> None:
    filters = LISTINGS[name].filters()
    hidden, unknown = set(), set()
    for right in Right:
        for given in ({}, *({key: value} for key, value in filters.items())):
            for label, column in compared(without(right), name, **given).items():
                rights = rights_for(column, name)
                if rights is None:
                    unknown.add(label)
                elif right in rights:
                    hidden.add(f"{name}({', '.join(given)}) compares {label} without {right}")
    assert unknown == set(), "say in SHOWN_AS or DERIVED what shows these columns"
    assert hidden == set(), "these lists tell of what not everybody may read who sees their rows"


def test_filters_are_looked_through_to_the_columns_that_they_compare() -> None:
    actor = Actor.system(COMPANY, "test")
    assert "promise_watch.first_due_at" in compared(actor, "incidents", due_before=NOW)
    assert "incident.reporter" in compared(actor, "incidents", search="1")
    assert "site_id" not in str(compared(actor, "incidents", site_id=ids.write("Site", SOMETHING)))
    assert (
        compared(without(Right.READ_SITES), "incidents", site_id=ids.write("Site", SOMETHING)) == {}
    )
    assert sum(len(listing.filters()) for listing in LISTINGS.values()) > 30
    assert len(LISTINGS) > 20
