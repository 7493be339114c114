"""Enforcement of the access table: every field, query, subscription and mutation is checked before its resolver runs.

The checks are added to the built schema at once, so that no type has to remember them. Fields that every
reader of the row may read are left as they are, at no cost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    default_field_resolver,
)

import domain.declared_access  # noqa: F401 - it adds the entries of the capabilities
from domain.access.actor import Actor
from domain.access.fields import FIELDS, RIGHT_OF_FIELD
from domain.access.operations import MUTATIONS, QUERIES, SUBSCRIPTIONS, Rights
from domain.access.rights import Right
from domain.core import errors
from domain.core.errors import Code, Refused

Resolver = Callable[..., Any]
NOBODY: Rights | None = None
_WRAPPERS = ("Connection", "Edge")


@dataclass(frozen=True, slots=True)
class Guard:
    """What a checked field needs, and what it shows to who may not read it."""

    rights: Rights | None
    own: bool
    """Whether every user may read it of the own row."""
    nullable: bool
    many: bool
    """Whether it is a list that is never null."""


def enforce(schema: GraphQLSchema) -> None:
    """Add the checks of the access table to a schema; refuse whatever has no entry there."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for name, kind in schema.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__") or kind in roots:
            continue
        if name not in FIELDS and name.endswith(_WRAPPERS):
            continue  # a page of rows is checked row by row
        for field_name, field in kind.fields.items():
            _guard_field(name, field_name, field)
    for root, table in ((schema.query_type, QUERIES), (schema.subscription_type, SUBSCRIPTIONS)):
        for name, field in () if root is None else root.fields.items():
            _guard_root(field, table.get(name, NOBODY))
    mutation = schema.mutation_type
    for name, field in () if mutation is None else mutation.fields.items():
        inner = field.resolve or default_field_resolver
        field.resolve = _mutation(inner, MUTATIONS.get(name, NOBODY))


def _guard_field(kind: str, name: str, field: GraphQLField) -> None:
    if (kind, name) not in RIGHT_OF_FIELD:
        field.resolve = _asking(field, NOBODY)
        return
    right = RIGHT_OF_FIELD[kind, name]
    if right is not None:
        field.resolve = _asking(field, (right,), own=kind == "User")


def _guard_root(field: GraphQLField, rights: Rights | None) -> None:
    if rights == ():
        return
    if field.subscribe is not None:
        field.subscribe = _following(field.subscribe, rights)
    else:
        field.resolve = _asking(field, rights)


def is_open(actor: Actor, rights: Rights | None) -> bool:
    """Whether an actor has all rights; None is nobody's."""
    return rights is not None and all(actor.may(right) for right in rights)


def _words(rights: Rights | None) -> str:
    return ", ".join(rights) if rights else "no role has it"


def _asking(field: GraphQLField, rights: Rights | None, *, own: bool = False) -> Resolver:
    """Resolve to the field's fallback when the actor may not read it; every user may read their own row."""
    inner = field.resolve or default_field_resolver
    nullable = not isinstance(field.type, GraphQLNonNull)
    many = not nullable and isinstance(field.type.of_type, GraphQLList)  # type: ignore[union-attr]

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        actor: Actor = info.context.actor
        if is_open(actor, rights) or (own and source.id == actor.user_id):
            return inner(source, info, **arguments)
        if nullable:
            return None
        if many:
            return []
        message = f"The role {actor.role} may not read this ({_words(rights)})."
        raise GraphQLError(message, extensions={"code": "FORBIDDEN"})

    guarded: Any = resolve
    guarded.guard = Guard(rights, own, nullable, many)
    guarded.inner = inner
    return resolve


def _following(inner: Resolver, rights: Rights | None) -> Resolver:
    def subscribe(source: Any, info: Any, **arguments: Any) -> Any:
        _must(info.context.actor, rights)
        return inner(source, info, **arguments)

    return subscribe


def _mutation(inner: Resolver, rights: Rights | None) -> Resolver:
    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        try:
            _must(info.context.actor, rights)
        except Refused as refused:
            answer: errors.Refusal = refused.refusal
            return answer
        return inner(source, info, **arguments)

    return resolve


def _must(actor: Actor, rights: Rights | None) -> None:
    if rights is None:
        raise Refused(
            Code.NOT_ALLOWED, "This mutation is closed: it has no entry in the access table."
        )
    missing: list[Right] = [right for right in rights if not actor.may(right)]
    if missing:
        actor.must(missing[0])
