"""Scalars and naming: instants in UTC, integers beyond 32 bits, free-form JSON, and field names with their units."""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.scalar import ScalarDefinition
from strawberry.utils.str_converters import to_camel_case

Long = NewType("Long", int)
Json = NewType("Json", dict[str, Any])

_SAFE = 2**53 - 1


def _write_instant(at: datetime) -> str:
    whole = at if at.tzinfo is UTC else at.astimezone(UTC)
    return whole.isoformat()[:-6] + "Z"


def _read_instant(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise GraphQLError(
            "A DateTime must be ISO 8601 with an offset, such as 2026-03-01T12:00:00Z."
        )
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("The DateTime is out of range.") from None


def _read_time(text: object) -> time:
    """Parse a time of day; `24:00` is midnight with `fold=1`, to distinguish the end of a day from its start."""
    if not isinstance(text, str):
        raise GraphQLError("A Time must be a string, such as 08:30.")
    if text in {"24:00", "24:00:00"}:
        return time(fold=1)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise GraphQLError("A Time must be ISO 8601, such as 08:30.") from None


def _read_long(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) > _SAFE:
        raise GraphQLError("A Long must be a whole number of at most 53 bits.")
    return number


def _read_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GraphQLError("A JSON value must be an object here.")
    return value


def _read_day(text: object) -> date:
    try:
        return date.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise GraphQLError("A Date must be ISO 8601, such as 2026-03-01.") from None


def _as_is(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="Instant in ISO 8601, returned in UTC (`2026-03-01T12:00:00Z`); as input it needs an offset.",
        serialize=_write_instant,
        parse_value=_read_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="Calendar day in ISO 8601, without a time (`2026-03-01`).",
        serialize=date.isoformat,
        parse_value=_read_day,
    ),
    time: strawberry.scalar(
        name="Time",
        description="Local time of day in ISO 8601, without a zone (`09:30:00`).",
        serialize=time.isoformat,
        parse_value=_read_time,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="Whole number of at most 53 bits, which every JSON reader represents exactly.",
        serialize=int,
        parse_value=_read_long,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="JSON object with a shape that depends on the field it belongs to.",
        serialize=_as_is,
        parse_value=_read_object,
    ),
}


@lru_cache(maxsize=10_000)  # Strawberry converts the names of arguments with every request
def wire_name(name: str) -> str:
    """Convert a Python name to the schema's: in camel case with units in words, `elapsed_s` is `elapsedSeconds`."""
    return to_camel_case(f"{name.removesuffix('_s')}_seconds" if name.endswith("_s") else name)


class WireNames(NameConverter):
    """Names of the schema, as `wire_name` makes them."""

    apply_naming_config = staticmethod(wire_name)


def config(*, suggestions: bool) -> StrawberryConfig:
    """Return Strawberry's configuration; `suggestions` adds suggestions of field names to errors."""
    return StrawberryConfig(
        name_converter=WireNames(), scalar_map=SCALARS, disable_field_suggestions=not suggestions
    )
