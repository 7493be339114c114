"""Executable schema, merged from the types and root fields that the modules of `schema/` declare."""

from functools import cache
from typing import Any

import strawberry
from strawberry.printer import print_schema

from schema.core.access import enforce
from schema.core.ids import NODES
from schema.core.roots import RootType, import_nouns, root_type
from schema.core.scalars import config
from schema.core.types import TYPES


@cache
def build(*, suggestions: bool = True) -> strawberry.Schema:
    """Build the executable schema; building takes 0.1 s, so a process does it once."""
    schema = strawberry.Schema(
        query=root_type(RootType.QUERY),
        mutation=root_type(RootType.MUTATION),
        subscription=root_type(RootType.SUBSCRIPTION),
        types=[TYPES[name] for name in sorted(NODES)],
        config=config(suggestions=suggestions),
    )
    enforce(schema._schema)
    return schema


def nodes() -> list[type[Any]]:
    """List the models of rows with a global id, by name."""
    import_nouns()
    return [NODES[name] for name in sorted(NODES)]


def sdl() -> str:
    """Return the schema as SDL, as committed in `schema/schema.graphql`."""
    return print_schema(build()) + "\n"
