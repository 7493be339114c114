"""Catalogue of the kinds of facts and the fields of their bodies."""

from typing import Annotated

import strawberry

from domain import catalogue
from schema.core.roots import query_fields
from schema.core.types import from_row, resolver

Row = strawberry.Parent[catalogue.FactKind]


@from_row(catalogue.FactField)
class FactField:
    """Field in the body of a fact."""

    name: Annotated[str, "Name of the field in `body`."]
    type: Annotated[
        str,
        (
            "Type of the value: a GraphQL type, `UUID`, `Object`, a list in brackets, or "
            "several with `|`. Erasable text is stored in `body` as a commitment."
        ),
    ]
    nullable: Annotated[bool, "Whether the value may be null."]
    values: Annotated[list[str], "Allowed values of a closed list; empty for other fields."]
    names: Annotated[
        str | None, "GraphQL type that the value identifies; the global id is in the fact's `ids`."
    ]


@from_row(catalogue.FactKind)
class FactKind:
    """Kind of fact, with the fields of its body."""

    kind: Annotated[str, "Name of the kind, such as `incident.acknowledged`."]
    description: Annotated[str, "Description of the event that the fact records."]

    @resolver(list[FactField])
    @staticmethod
    def fields(row: Row) -> list[catalogue.FactField]:
        """Fields in the body of such a fact."""
        return list(row.fields)


@query_fields
class FactKindQuery:
    """Queries of the catalogue of facts."""

    @resolver(list[FactKind])
    @staticmethod
    def fact_kinds() -> list[catalogue.FactKind]:
        """All kinds of facts, with the fields of their bodies."""
        return list(catalogue.kinds().values())
