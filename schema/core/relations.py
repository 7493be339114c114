"""Fields that show related rows: a plan (`api/execution/plan.py`) reads those of all objects of a level at once."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from sqlalchemy.orm import InstrumentedAttribute

from schema.core.context import Context, Info
from schema.core.loaders import MOST
from schema.core.types import NamedType, describe_arguments

Column = InstrumentedAttribute[Any]


def to_one(shown: Any, model: type[Any], key: str, words: str) -> Any:
    """Make a field that shows the row of `model` whose id an object has in its attribute `key`, or null.

    `shown` is the GraphQL type, or its name, which need not be imported; `words` is the description.
    """

    async def resolve(row: strawberry.Parent[Any], info: Info) -> Any:
        return await info.context.get(model, getattr(row, key))

    async def for_all(info: Info, rows: Sequence[Any]) -> Sequence[Any]:
        return await info.context.get_each(model, [getattr(row, key) for row in rows])

    return strawberry.field(
        resolve,
        graphql_type=_named(shown) | None,
        description=words,
        metadata={"work": 0, "for_all": for_all, "reads": {key}},
    )


def to_many(
    shown: Any,
    column: Column,
    words: str,
    *,
    order: tuple[Column, ...],
    descending: bool = False,
    key: str = "id",
    size: str | None = None,
    size_words: str = "",
    default: int = MOST,
) -> Any:
    """Make a field that shows the rows whose foreign key `column` names an object by its attribute `key`.

    `size` is the argument that says how many, with its description and default; without it, `default` of them.
    """
    argument = size or "first"

    async def resolve(row: strawberry.Parent[Any], info: Info, **sizes: int) -> Any:
        return await info.context.children(
            column,
            getattr(row, key),
            order=order,
            descending=descending,
            first=sizes.get(argument, default),
            argument=argument,
        )

    async def for_all(info: Any, rows: Sequence[Any], **sizes: int) -> Sequence[Any]:
        context: Context = info.context
        return await context.children_of_each(
            column,
            [getattr(row, key) for row in rows],
            order=order,
            descending=descending,
            first=sizes.get(argument, default),
            argument=argument,
            only=info.columns,
        )

    parameters = [
        each
        for each in inspect.signature(resolve).parameters.values()
        if each.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    if size is not None:
        kind = Annotated[int, strawberry.argument(description=size_words)]
        parameters.append(
            inspect.Parameter(
                size, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default
            )
        )
    resolve.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Strawberry reads
    describe_arguments(resolve)
    return strawberry.field(
        resolve,
        graphql_type=list[_named(shown)],  # type: ignore[misc]  # a type of the schema
        description=words,
        metadata={"work": 0, "for_all": for_all, "reads": {key}, "shows_rows": True},
    )


def _named(shown: Any) -> Any:
    return NamedType(shown, __name__) if isinstance(shown, str) else shown
