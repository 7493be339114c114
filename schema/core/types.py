"""Thin types: GraphQL reads the listed public fields straight from the row; nothing is copied or shown besides.

Descriptions are written next to what they describe: `Annotated[str, "One line of what happened."]` is a
field, an argument or an input's field with that description.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import strawberry
from strawberry import LazyType
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from domain.access import Right
from domain.access.fields import add_field
from schema.core.bounds import bounded
from schema.core.ids import NODES, IdField, Node

TYPES: dict[str, type[Any]] = {}
"""The GraphQL types that show rows, by name; `from_row` adds each."""
T = TypeVar("T")
E = TypeVar("E", bound=type[StrEnum])
WITH_ROW = "WITH_ROW"
"""The second text of a field's annotation that opens the field to whoever sees the row."""


class Marker:
    """A mark for `from_row` inside an `Annotated`."""


RESTRICTED = Marker()
"""Marks a field that not every reader of the row may read (`domain/access/fields.py`): null for the others."""


class Deprecated(Marker):
    """Marks a field as deprecated; its description names the replacement."""

    def __init__(self, instead: str) -> None:
        self.instead = instead


def split(annotation: Any) -> tuple[Any, str | None, list[Any]]:
    """Split an annotation into its type, its description, and its other metadata."""
    if get_origin(annotation) is not Annotated:
        return annotation, None, []
    kind, *notes = get_args(annotation)
    words = next((note for note in notes if isinstance(note, str)), None)
    kept = [note for note in notes if not isinstance(note, str | Marker)]
    return (Annotated[(kind, *kept)] if kept else kind), words, notes


def enum(kind: E, name: str, **values: str) -> E:
    """Register an enum of the domain under `name`, with descriptions of it and of its members."""
    strawberry.enum(kind, name=name, description=inspect.cleandoc(kind.__doc__ or ""))
    definition = vars(kind)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[value.name.lower()]
    return kind


def from_row(model: type[Any]) -> Callable[[type[T]], type[T]]:
    """Make a GraphQL type that reads the listed fields of `model` (a row or a plain dataclass).

    A second text in a field's annotation enters the field in the access table: `WITH_ROW`, or the name of the right
    that opens it. Without one, the entry stands in `domain/access/fields.py` or in `access.py` of the capability.
    """

    def decorate(cls: type[T]) -> type[T]:
        hints = dict(get_type_hints(cls, include_extras=True))
        for name in inspect.get_annotations(cls):
            kind, words, notes = split(hints[name])
            right = _declare_reader(cls.__name__, name, notes)
            restricted = RESTRICTED in notes or right is not None
            cls.__annotations__[name] = kind | None if restricted else kind
            field = _plain(name, words, restricted=restricted)
            field.deprecation_reason = next(
                (each.instead for each in notes if isinstance(each, Deprecated)), None
            )
            setattr(cls, name, field)
        if issubclass(cls, Node):
            cls.__annotations__["id"] = strawberry.ID
            words = "Global, opaque id; `node(id)` returns the object."
            NODES[cls.__name__] = model
            cls.id = IdField(description=words, metadata={"type_name": cls.__name__})  # type: ignore[assignment]
        cls.is_type_of = staticmethod(_is(model))  # type: ignore[attr-defined]
        shown = strawberry.type(cls, description=inspect.cleandoc(cls.__doc__ or ""))
        shown.__shows__ = model  # type: ignore[attr-defined]
        TYPES[cls.__name__] = shown
        return shown

    return decorate


def _declare_reader(type_name: str, name: str, notes: list[Any]) -> Right | None:
    """Enter a field in the access table if its annotation says who reads it; return the right that opens it."""
    texts = [note for note in notes if isinstance(note, str)]
    if len(texts) < 2:
        return None
    if texts[1] != WITH_ROW and texts[1] not in Right.__members__:
        words = f"must be {WITH_ROW} or the name of a right, not {texts[1]!r}."
        raise ValueError(f"The second text of {type_name}.{name} {words}")
    right = None if texts[1] == WITH_ROW else Right[texts[1]]
    add_field(type_name, to_camel_case(name), right)
    return right


def _is(model: type[Any]) -> Callable[[object, object], bool]:
    def is_type_of(row: object, _info: object) -> bool:
        return isinstance(row, model)

    return is_type_of


def _plain(name: str, words: str | None, *, restricted: bool) -> Any:
    described = f"{words} Null for readers without access to this field." if restricted else words
    metadata = {"column": name, "restricted": restricted}
    return strawberry.field(description=described, metadata=metadata)


def resolver(
    graphql_type: Any, *, work: int = 0, reads: Collection[str] | None = None
) -> Callable[[Any], Any]:
    """Make a field whose Python result (a row) is shown as `graphql_type`; its docstring is its description.

    `reads` names all attributes of the row that the function reads: rows of a list are then read without the others.
    `work` is added to the cost of a document for each use of the field, in units of one field read from a
    row: for fields that measure, replay or aggregate, whose selection does not show what they cost.
    """

    def decorate(resolver: Any) -> Any:
        function = resolver.__func__ if isinstance(resolver, staticmethod) else resolver
        describe_arguments(function)
        return strawberry.field(
            bounded(function),
            graphql_type=graphql_type,
            description=inspect.getdoc(function),
            metadata={"work": work, "reads": reads},
        )

    return decorate


class NamedType(LazyType[Any, Any]):
    """A type of the schema by its name alone, found when the schema is built: relations form cycles, imports do not."""

    def resolve_type(self) -> type[Any]:
        """Find the type by its name among those that show rows."""
        if self.type_name not in TYPES:
            raise LookupError(f"No type of the schema that shows rows is called {self.type_name}.")
        return TYPES[self.type_name]


def relation(type_name: str) -> Callable[[Any], Any]:
    """Make a field that shows one row, or null, as the type of this name, which need not be imported."""
    return resolver(NamedType(type_name, __name__) | None)


def relations(type_name: str) -> Callable[[Any], Any]:
    """Make a field that shows a list of rows as the type of this name, which need not be imported."""
    return resolver(list[NamedType(type_name, __name__)])  # type: ignore[misc]


def subscription(graphql_type: Any) -> Callable[[Any], Any]:
    """Make a subscription whose items are shown as `graphql_type`; its docstring is its description."""

    def decorate(resolver: Any) -> Any:
        describe_arguments(resolver)
        return strawberry.subscription(
            bounded(resolver), graphql_type=graphql_type, description=inspect.getdoc(resolver)
        )

    return decorate


def describe_arguments(function: Any) -> None:
    """Take the descriptions of a resolver's arguments from their annotations."""
    for name, annotation in list(function.__annotations__.items()):
        function.__annotations__[name] = described(annotation)


def described(annotation: Any) -> Any:
    """Return an annotation that holds a text as one that Strawberry describes an argument with."""
    kind, words, _notes = split(annotation)
    if words is None:
        return annotation
    return Annotated[kind, strawberry.argument(description=words)]


def input_type(cls: type[T]) -> type[T]:
    """Make a GraphQL input object; the annotations of its fields hold their descriptions."""
    hints = get_type_hints(cls, include_extras=True)
    for name in inspect.get_annotations(cls):
        kind, words, _notes = split(hints[name])
        default = {"default": getattr(cls, name)} if hasattr(cls, name) else {}
        if isinstance(default.get("default"), list):
            items = list(default.pop("default"))
            default["default_factory"] = lambda items=items: list(items)
        cls.__annotations__[name] = kind
        setattr(cls, name, strawberry.field(description=words, **default))
    return strawberry.input(cls, description=inspect.cleandoc(cls.__doc__ or ""))


def columns(shown: type[Any]) -> Mapping[str, StrawberryField]:
    """Return the fields that are read from the row, by column; a contract test compares them with the model."""
    fields: list[StrawberryField] = shown.__strawberry_definition__.fields
    return {field.metadata["column"]: field for field in fields if "column" in field.metadata}
