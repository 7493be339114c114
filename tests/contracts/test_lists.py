"""What a list is ordered and narrowed by is no oracle: whoever may see its rows may read those fields.

A role that may not read a field would else learn its values from the order of rows, from whether a filter leaves a row,
or from `totalCount`.
"""

import inspect
from typing import Any

import pytest
from graphql import GraphQLSchema, get_named_type
from strawberry.schema.schema import Schema

from domain.access.fields import FIELDS, RIGHT_OF_FIELD
from domain.access.operations import QUERIES
from schema.build import build
from schema.core.pagination import Order
from schema.core.scalars import WireNames

BUILT: Schema = build()
SCHEMA: GraphQLSchema = BUILT._schema
PAGE = {"first", "last", "after", "before"}
NARROWED_BY: dict[str, str] = {
    "creditNotes.search": "number",
    "credits.search": "number",
    "duePromises.dueBefore": "dueAt",
    "duties.running": "endedAt",
    "escalations.waiting": "nextStepAt",
    "incidents.dueBefore": "nextDueAt",
    "incidents.orderBy": "openedAt nextDueAt",
    "incidents.openedBefore": "openedAt",
    "incidents.openedFrom": "openedAt",
    "incidents.search": "number summary reporter externalId",
    "credits.decidedBefore": "decidedAt",
    "credits.decidedFrom": "decidedAt",
    "invoices.search": "number",
    "presences.lasting": "untilAt",
    "promises.dueBefore": "dueAt",
    "reports.search": "number",
    "sessions.goingOn": "endedAt",
    "touchpoints.isOpen": "doneAt",
    "touchpoints.overdue": "isOverdue",
}
"""List and filter → the fields that it compares, where its name does not say so."""
REACH = frozenset({"accountId"})
"""Filters that only name a client: whose rows one sees is in the table of rows."""
SHOWN_AS = {"announced_due_at": "due_at"}
"""Column → the field that shows it, where the names differ."""
INSIDE = frozenset({"id", "seq"})
"""Columns in whose order rows are made, which say nothing about them."""


def orders() -> dict[str, Order]:
    """The order of each list at the root, as its resolver holds it."""
    found: dict[str, Order] = {}
    definition: Any = BUILT.get_type_by_name("Query")
    for field in definition.fields:
        function = getattr(field.base_resolver, "wrapped_func", None)
        held = (
            {} if function is None else inspect.getclosurevars(inspect.unwrap(function)).nonlocals
        )
        if isinstance(held.get("order"), Order):
            found[WireNames().get_graphql_name(field)] = held["order"]
    return found


ORDERS = orders()


def type_of(name: str) -> str:
    """The type of the rows of a list."""
    assert SCHEMA.query_type is not None
    kind: str = get_named_type(SCHEMA.query_type.fields[name].type).name
    return kind.removesuffix("Connection")


def may_all_read(name: str, field: str) -> bool:
    """Whether whoever may ask for a list and sees a row may read a field of it."""
    right = RIGHT_OF_FIELD[type_of(name), field]
    return right is None or right in QUERIES[name]


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_a_list_is_ordered_by_what_whoever_sees_its_rows_may_read(name: str) -> None:
    keys = [column.key for column in ORDERS[name].columns if column.key not in INSIDE]
    hidden = [
        key
        for key in keys
        if not may_all_read(name, WireNames().apply_naming_config(SHOWN_AS.get(key, key)))
    ]
    assert hidden == [], f"{name} is ordered by {hidden}, which not every role may read"


def test_a_list_is_narrowed_by_what_whoever_sees_its_rows_may_read() -> None:
    assert SCHEMA.query_type is not None
    hidden, unknown, count = [], [], 0
    for name in ORDERS:
        for argument in SCHEMA.query_type.fields[name].args.keys() - PAGE - REACH:
            label = f"{name}.{argument}"
            stem = argument.removesuffix("Id") if argument != "externalId" else argument
            stem = "status" if stem == "statuses" else stem
            known = {each for fields in FIELDS[type_of(name)].values() for each in fields.split()}
            guesses = (stem, stem.removesuffix("s"), stem.removesuffix("ies") + "y")
            guess = next((each for each in guesses if each in known), "")
            for field in NARROWED_BY.get(label, guess or "?").split():
                count += 1
                if field not in known:
                    unknown.append(label)
                elif not may_all_read(name, field):
                    hidden.append(f"{label}: {field}")
    assert unknown == [], "say in NARROWED_BY which fields these filters compare"
    assert hidden == [], "these filters tell of fields that not every role may read"
    assert count > 30
    assert len(ORDERS) > 20
