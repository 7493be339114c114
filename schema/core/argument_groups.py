"""Groups of mutation arguments: one value in Python, single arguments in the schema."""

import dataclasses
import inspect
from collections.abc import Iterator
from functools import wraps
from typing import Any, NamedTuple

from strawberry.types.unset import UNSET


class ArgumentGroup:
    """Base of dataclasses whose fields are arguments; a mutation takes one as a parameter of that class."""

    def given(self) -> dict[str, Any]:
        """Return the arguments by name, without those that the caller left out."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        values = {each.name: getattr(self, each.name) for each in fields}
        return {name: value for name, value in values.items() if value is not UNSET}


def flattened(function: Any) -> Iterator[inspect.Parameter]:
    """Yield a function's parameters, with the fields of a group in the place of the group."""
    for parameter in inspect.signature(function).parameters.values():
        if not _is_group(parameter.annotation):
            yield parameter
            continue
        for field in dataclasses.fields(parameter.annotation):
            missing = field.default is dataclasses.MISSING
            default = inspect.Parameter.empty if missing else field.default
            kind = inspect.Parameter.KEYWORD_ONLY
            yield inspect.Parameter(field.name, kind, default=default, annotation=field.type)


class GroupParameter(NamedTuple):
    """A parameter of a function that takes a group."""

    name: str
    kind: Any
    fields: frozenset[str]


def ungrouped(function: Any) -> Any:
    """Return a function that takes the fields of its groups as single arguments; unchanged when it has no group."""
    groups = _groups(function)
    if not groups:
        return function

    @wraps(function)
    def call(*given: Any, **arguments: Any) -> Any:
        for name, kind, names in groups:
            own = {each: arguments.pop(each) for each in names & arguments.keys()}
            arguments[name] = kind(**own)
        return function(*given, **arguments)

    return call


def _groups(function: Any) -> tuple[GroupParameter, ...]:
    return tuple(
        GroupParameter(
            name,
            each.annotation,
            frozenset(field.name for field in dataclasses.fields(each.annotation)),
        )
        for name, each in inspect.signature(function).parameters.items()
        if _is_group(each.annotation)
    )


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, ArgumentGroup)
