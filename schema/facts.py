"""The catalogue of facts: which kinds there are, and what they say."""

from typing import Annotated

import strawberry

from domain import catalogue
from schema.core.types import from_row, resolver

Row = strawberry.Parent[catalogue.FactKind]


@from_row(catalogue.FactField)
class FactField:
    """One field of a fact's body."""

    name: Annotated[str, "Its name in `body`."]
    type: Annotated[
        str,
        "A type of GraphQL, `UUID`, `Object`, a list in brackets, or several with `|`; of erasable text `body` holds a"
        " commitment.",
    ]
    nullable: Annotated[bool, "Whether it may be null."]
    values: Annotated[list[str], "What it may hold, where that is a closed list; else empty."]
    names: Annotated[
        str | None, "The type whose ids it holds; their global ids are in the fact's `ids`."
    ]


@from_row(catalogue.FactKind)
class FactKind:
    """A kind of fact, with the fields of its body."""

    kind: Annotated[str, "Its name, such as `incident.acknowledged`."]
    description: Annotated[str, "What happened."]

    @resolver(list[FactField])
    @staticmethod
    def fields(row: Row) -> list[catalogue.FactField]:
        """The fields of its body."""
        return list(row.fields)


@strawberry.type
class FactKindQuery:
    """What is asked about kinds of facts."""

    @resolver(list[FactKind])
    @staticmethod
    def fact_kinds() -> list[catalogue.FactKind]:
        """Every kind of fact there is, with the fields of its body."""
        return list(catalogue.kinds().values())
