"""Root types of the schema: modules mark the classes whose fields are queries, mutations or subscriptions."""

from collections import defaultdict
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

import strawberry
from strawberry.tools import merge_types

import schema

C = TypeVar("C", bound=type)


class RootType(StrEnum):
    """A root, by its name in the schema."""

    QUERY = "Query"
    MUTATION = "Mutation"
    SUBSCRIPTION = "Subscription"


_DESCRIPTIONS = {
    RootType.QUERY: "All queries of this API.",
    RootType.MUTATION: "All mutations of this API.",
    RootType.SUBSCRIPTION: "All subscriptions of this API.",
}
_marked: defaultdict[RootType, list[type]] = defaultdict(list)


def query_fields(cls: C) -> C:
    """Make the fields of a class queries."""
    return _mark(RootType.QUERY, cls)


def mutation_fields(cls: C) -> C:
    """Make the fields of a class mutations."""
    return _mark(RootType.MUTATION, cls)


def subscription_fields(cls: C) -> C:
    """Make the fields of a class subscriptions."""
    return _mark(RootType.SUBSCRIPTION, cls)


def _mark(root: RootType, cls: C) -> C:
    _marked[root].append(strawberry.type(cls))
    return cls


def import_nouns() -> None:
    """Import every module of the schema, so that its types and the fields of its roots are known."""
    for module in iter_modules(schema.__path__, "schema."):
        import_module(module.name)


def marked_classes(root: RootType) -> tuple[type, ...]:
    """List the classes whose fields a root has, by module and in the order of their definition."""
    import_nouns()
    return tuple(sorted(_marked[root], key=lambda cls: cls.__module__))


def root_type(root: RootType) -> Any:
    """Merge the marked classes into the type of a root."""
    merged: Any = merge_types(root.value, marked_classes(root))
    merged.__strawberry_definition__.description = _DESCRIPTIONS[root]
    return merged
