"""Groups of mutation arguments: one value in Python, single arguments in the schema."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

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


def grouped(function: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a function takes: those of a group as one value of its class."""
    arguments = dict(given)
    for name, kind, names in _groups(function):
        own = {each: arguments.pop(each) for each in names & arguments.keys()}
        arguments[name] = kind(**own)
    return arguments


@cache
def _groups(function: Any) -> tuple[tuple[str, Any, frozenset[str]], ...]:
    """Return name, class and fields of each group that a function takes; an inspection costs 20 µs."""
    return tuple(
        (
            name,
            each.annotation,
            frozenset(field.name for field in dataclasses.fields(each.annotation)),
        )
        for name, each in inspect.signature(function).parameters.items()
        if _is_group(each.annotation)
    )


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, ArgumentGroup)
