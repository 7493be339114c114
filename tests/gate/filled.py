"""Values in columns that are empty in a company as it is built, so that there is something to read there."""

from datetime import UTC, date, datetime, time
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema
from sqlalchemy import ARRAY, Uuid, inspect, text
from sqlalchemy.exc import DBAPIError

from domain.core.db import Sessions, transaction
from domain.metadata import metadata
from schema.build import nodes

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
VALUES: dict[type, Any] = {
    int: 1, float: 1.0, str: "probe", bool: True, datetime: AT, date: AT.date(), time: time(9),
    dict: {"probe": 1}, list: ["probe"],
}  # fmt: skip
LIVE = frozenset(
    {
        *("ended_at", "revoked_at", "disabled_at", "expires_at", "until_at", "lapsed", "cursor"),
        *("account_id", "failing_since", "due_at", "priority", "version", "in_force_until"),
    }
)
"""Columns that decide whether a row is in force, and so what is seen."""

MORE = (
    "UPDATE account SET kvk_number = '12345678', regions = '{\"NH\"}'",
    "UPDATE tenant SET kvk_number = '12345678'",
    "UPDATE billing_party SET kvk_number = '12345678'",
    "UPDATE app_user SET language = 'nl'",
    "UPDATE whereabouts SET accuracy_m = 1, speed_mps = 1, heading_deg = 1, battery_pct = 1",
    "UPDATE incident SET external_sender = 'staff', external_id = id::text",
    "UPDATE recovery_step SET note = 'probe', done_at = now(), done_by = 'staff'",
    "UPDATE device SET refused_for = 'fine'",
)
"""What a constraint asks to be of a certain form, or what stands in a table of parts."""


async def fill(make: Sessions, schema: GraphQLSchema) -> int:
    """Fill the empty columns that the schema shows; those that a constraint forbids to fill stay empty."""
    filled = len(MORE)
    async with transaction(make) as session:
        for each in MORE:
            await session.execute(text(each))
    for model in nodes():
        kind = schema.type_map[model.__name__]
        assert isinstance(kind, GraphQLObjectType)
        mapped = inspect(model)
        for column in metadata.tables[model.__tablename__].columns:
            shown = _camel(column.name) in kind.fields
            if not shown or not column.nullable or column.name in LIVE or column.foreign_keys:
                continue
            value = _value(column.type)
            if value is None or mapped is None:
                continue
            change = text(
                f"UPDATE {model.__tablename__} SET {column.name} = :value WHERE {column.name} IS NULL"
            )
            try:
                async with transaction(make) as session:
                    await session.execute(change, {"value": value})
                filled += 1
            except DBAPIError:
                continue
    return filled


def _value(kind: Any) -> Any:
    if isinstance(kind, ARRAY | Uuid):
        return None
    try:
        return VALUES.get(kind.python_type)
    except NotImplementedError:
        return None


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(each.title() for each in rest)
