"""Rows before and after a mutation, and whether its facts state the old and the new value of every changed column."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.erasable_text import ErasableText, is_commitment
from domain.core.ledger import LedgerRow
from domain.metadata import metadata

Rows = dict[tuple[str, str], dict[str, Any]]
"""Table and key → the columns of the row as JSON."""


AFTER = ("after", "now", "priority", "quantity_milli", "to")
"""What the value after is called beside `before` or `was`."""


class Change(NamedTuple):
    """A column of one row that a mutation changed."""

    table: str
    column: str
    old: Any
    new: Any


class Recorded(NamedTuple):
    """A fact with its erasable texts in place."""

    kind: str
    at: datetime
    body: dict[str, Any]


class Pair(NamedTuple):
    """A value before and after that a fact states; `name` is None where its fields do not name the column."""

    kind: str
    name: str | None
    before: Any
    after: Any


async def rows(session: AsyncSession, tenant_id: UUID, but_for: Mapping[str, str]) -> Rows:
    """Every row of a company, except those of the tables in `but_for`."""
    found: Rows = {}
    for table in metadata.tables.values():
        owner = "id" if table.name == "tenant" else "tenant_id"
        if table.name in but_for or owner not in table.columns:
            continue
        query = text(f"SELECT to_jsonb(t) FROM {table.name} t WHERE {owner} = :tenant")
        for row in await session.scalars(query, {"tenant": tenant_id}):
            key = json.dumps([row[column.name] for column in inspect(table).primary_key])
            found[table.name, key] = row
    return found


def changed(before: Rows, after: Rows) -> Iterator[Change]:
    """Every changed column of the rows that are there before and after."""
    for (table, key), old in before.items():
        new = after.get((table, key), old)
        for column in old:
            if old[column] != new[column]:
                yield Change(table, column, old[column], new[column])


async def recorded(session: AsyncSession, tenant_id: UUID, after: int) -> list[Recorded]:
    """The facts of a company after the one with this id."""
    entries = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.tenant_id == tenant_id, LedgerRow.id > after)
        .order_by(LedgerRow.id)
    )
    found = []
    for entry in list(entries):
        body = dict(entry.body)
        for field, value in entry.body.items():
            if is_commitment(value):
                query = select(ErasableText.words).where(ErasableText.commitment == value)
                body[field] = _read(await session.scalar(query))
        found.append(Recorded(entry.kind, entry.at, body))
    return found


def _read(words: str | None) -> Any:
    """The values that a text holds as JSON, else the text."""
    try:
        return json.loads(words or "null")
    except ValueError:
        return words


def pairs(fact: Recorded) -> Iterator[Pair]:
    """Every value that a fact states with what it was before, by the names of its fields."""
    body = fact.body
    for field, value in body.items():
        if field == "before" and isinstance(body.get("after"), dict):
            was = value or {}
            for name in was.keys() | body["after"].keys():
                yield Pair(fact.kind, name, was.get(name), body["after"].get(name))
        elif field in {"before", "was"}:
            now = next((body[each] for each in AFTER if each in body), None)
            yield Pair(fact.kind, None, value, now)
        elif field.endswith("_before"):
            name = field.removesuffix("_before")
            now = f"{name}_after" if f"{name}_after" in body else name
            yield Pair(fact.kind, name, value, body.get(now, fact.at.isoformat()))
            if now not in body:  # removed, or set to the time of the fact
                yield Pair(fact.kind, name, value, None)
        elif field.startswith("was_"):
            yield Pair(
                fact.kind, field.removeprefix("was_"), value, body.get(field.removeprefix("was_"))
            )


def is_moment(change: Change, facts: Sequence[Recorded]) -> bool:
    """Whether a column that was empty is the time of a fact now: its kind and its time state that."""
    return change.old is None and any(_same(change.new, fact.at.isoformat()) for fact in facts)


def is_stated(
    change: Change,
    facts: Sequence[Recorded],
    named: Mapping[tuple[str, str], tuple[str, str | None]],
) -> bool:
    """Whether one of the facts states the old and the new value of a column.

    `named` gives the kind of the fact that states a column, and what the fact calls it (None for `before` alone).
    """
    if is_moment(change, facts):
        return True
    own = named.get((change.table, change.column))
    return any(
        (pair.name == change.column or (pair.kind, pair.name) == own)
        and _same(pair.before, change.old)
        and _same(pair.after, change.new)
        for fact in facts
        for pair in pairs(fact)
    )


def without_before(fact: Recorded) -> Recorded:
    """The same fact with nothing of what was before."""
    kept = {
        field: value
        for field, value in fact.body.items()
        if field not in {"before", "was"} and not field.endswith("_before") and field[:4] != "was_"
    }
    return fact._replace(body=kept)


def _same(one: Any, other: Any) -> bool:
    return one == other or (_moment(one) is not None and _moment(one) == _moment(other))


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if len(value) > 10 else None
    except (TypeError, ValueError):
        return None
