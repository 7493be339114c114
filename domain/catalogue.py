"""Catalogue of facts: every kind with its description and fields, derived from the classes that record them."""

import inspect
import types
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import domain
from domain.core.errors import Code, Refused
from domain.core.ledger import Fact
from domain.fact_ids import type_named_by

HEAD = frozenset({"account_id", "subject_id", "at"})
"""Fields of every fact, which are not in its body."""
_NAMES: dict[Any, str] = {
    UUID: "UUID",
    str: "String",
    int: "Int",
    float: "Float",
    bool: "Boolean",
    datetime: "DateTime",
    date: "Date",
    time: "Time",
}
ERASABLE = "String (erasable text)"


@dataclass(frozen=True, slots=True)
class FactField:
    """One field of a fact's body."""

    name: str
    type: str
    nullable: bool
    values: tuple[str, ...] = ()
    """The values the field can have, when they are a closed list."""
    names: str | None = None
    """The API type of the rows that the field's ids refer to, if the API shows that type."""


@dataclass(frozen=True, slots=True)
class FactKind:
    """One kind of fact and the fields of its body."""

    kind: str
    description: str
    fields: tuple[FactField, ...]
    subject: str | None = None
    """The type that shows what it is about; None where that differs, or where no type of the API shows it."""


@cache
def kinds() -> dict[str, FactKind]:
    """All kinds of facts by name, in alphabetical order."""
    found = {kind: _kind(fact) for kind, fact in fact_classes().items()}
    return {kind: found[kind] for kind in sorted(found)}


def subject_type(kind: str) -> str | None:
    """Return the type of the API that shows what facts of a kind are about; None where none does."""
    fact = fact_classes().get(kind)
    return None if fact is None else fact.subject_type


@cache
def fact_classes() -> dict[str, type[Fact]]:
    """The classes of all facts, by kind."""
    for package in iter_modules(domain.__path__, "domain."):
        if package.ispkg:
            for module in iter_modules(import_module(package.name).__path__, f"{package.name}."):
                import_module(module.name)
        else:
            import_module(package.name)
    return {fact.kind: fact for fact in _facts(Fact)}


def must_be_kinds(named: Collection[str] | None, argument: str) -> None:
    """Refuse the first kind of fact that does not exist; None means all kinds."""
    for kind in named or ():
        if kind not in kinds():
            words = f"There is no kind of fact {kind[:80]!r}; the query factKinds lists them."
            raise Refused(Code.INVALID, words, argument=argument)


def _facts(parent: type[Fact]) -> Iterator[type[Fact]]:
    for fact in parent.__subclasses__():
        if fact.__module__.startswith("domain."):
            if "kind" in vars(fact) and isinstance(vars(fact)["kind"], str):
                yield fact
            yield from _facts(fact)


def _kind(fact: type[Fact]) -> FactKind:
    hints = get_type_hints(fact)
    fields = [
        _field(fact.kind, name, hints[name], is_personal=name in fact.personal)
        for name in fact.__struct_fields__
        if name not in HEAD
    ]
    description = inspect.cleandoc(fact.__doc__ or "").partition("\n\n")[0]
    return FactKind(fact.kind, " ".join(description.split()), tuple(fields), fact.subject_type)


def _field(kind: str, name: str, hint: Any, *, is_personal: bool) -> FactField:
    options = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    kept = [each for each in options if each is not type(None)]
    type_name = ERASABLE if is_personal else " | ".join(_type(each) for each in kept)
    values = tuple(
        str(value)
        for each in kept
        if isinstance(each, type) and issubclass(each, StrEnum)
        for value in each
    )
    names = type_named_by(kind, name) if "UUID" in type_name else None
    return FactField(name, type_name, len(kept) < len(options), values, names)


def _type(hint: Any) -> str:
    if hint in _NAMES:
        return _NAMES[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is dict:
        return "Object"
    if origin is not None and inner:
        return f"[{_type(inner[0])}]"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "String"
    return "Object"


def page() -> str:
    """Render the catalogue as the page `docs/reference/facts.md`."""
    lines = [
        "# Facts",
        "",
        "Every kind of fact in the ledger, in subscriptions and in webhooks, with the fields of its `body`.",
        "The query `factKinds` returns the same. Besides its body a fact has `at` (when it happened), `recordedAt`,",
        "`actor`, the client and the id of what it is about. Kinds and fields are only ever added. Of *erasable text*",
        "the ledger holds a commitment (`sha256:…`); the text itself is stored separately and can be erased.",
        "",
        "A `UUID` in a body is the plain id of a row, because bodies are hashed as they were written. The global id,",
        "as `node(id)` and every argument take it, is in `ids` under the same name, in GraphQL and in webhooks:",
        "`ids.incident_id` of a fact whose body has `incident_id`, a list for a list. The last column names its type;",
        "a UUID without a type names nothing that the API shows. The client and the subject are `account { id }` and",
        "`subjectId` in GraphQL, `account` and `subject` in webhooks.",
        "",
        "Written by `waarborg facts`.",
    ]
    for kind in kinds().values():
        lines += ["", f"## `{kind.kind}`", "", kind.description]
        if kind.subject is not None:
            lines += ["", f"Subject: `{kind.subject}`."]
        if kind.fields:
            lines += ["", "| field | type | |", "|---|---|---|"]
        for field in kind.fields:
            values = ", ".join(f"`{each}`" for each in field.values) or field.names or ""
            type_name = field.type if field.nullable else f"{field.type}!"
            lines.append(f"| `{field.name}` | {type_name} | {values} |".replace(" |  |", " | |"))
    return "\n".join(lines) + "\n"
