"""Every element of the public schema has a description in plain English that says more than its name."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from graphql import (
    GraphQLNonNull,
    GraphQLSchema,
    build_schema,
    is_enum_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from schema.build import sdl

SHORTEST = 4  # words
VETOED = re.compile(r"\b(tickets?|whose|told|stands? so|he|she|his|hers?|him)\b", re.IGNORECASE)
NULLED = re.compile(r"; null (?!where erased)|\bNull for\b")  # erased: inside a JSON object
QUOTED = re.compile(r"`[^`]*`")


class Element(NamedTuple):
    """Element of a schema: its coordinate, name, description and, where it has one, type."""

    coordinate: str
    name: str
    description: str
    type: Any = None


def elements(schema: GraphQLSchema) -> Iterator[Element]:
    """Every type, field, argument, input field, enum value and directive that the schema defines itself."""
    for name, kind in schema.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(kind):
            continue
        yield Element(name, name, kind.description or "")
        values = kind.values if is_enum_type(kind) else {}
        for value, shown in values.items():
            yield Element(f"{name}.{value}", value, shown.description or "")
        for field, shown in getattr(kind, "fields", {}).items():
            at = f"{name}.{field}"
            yield Element(at, field, shown.description or "", shown.type)
            yield from _arguments(at, getattr(shown, "args", {}))
    for directive in schema.directives:
        if not is_specified_directive(directive):
            at = f"@{directive.name}"
            yield Element(at, directive.name, directive.description or "")
            yield from _arguments(at, directive.args)


def _arguments(at: str, arguments: dict[str, Any]) -> Iterator[Element]:
    for name, argument in arguments.items():
        yield Element(f"{at}({name}:)", name, argument.description or "")


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; a camel-case or constant name is taken apart."""
    return re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", text)


def faults(element: Element) -> list[str]:
    """Return what is wrong with the description of an element."""
    text = element.description
    plain = QUOTED.sub("", text)
    found = []
    if len(text.split()) < SHORTEST:
        found.append("too short")
    if vetoed := VETOED.search(plain):
        found.append(f"says {vetoed[0]!r}")
    said = {word.lower() for word in words(text)} - {"a", "an", "the", "of", "its"}
    if said <= {word.lower() for word in words(element.name)}:
        found.append("repeats the name")
    if NULLED.search(plain) and isinstance(element.type, GraphQLNonNull):
        found.append("says null of a value that is never null")
    return found


def test_every_element_has_a_plain_description() -> None:
    schema = build_schema(sdl())
    assert not [(each.coordinate, *found) for each in elements(schema) if (found := faults(each))]


@pytest.mark.parametrize(
    ("description", "fault"),
    [
        ("", "too short"),
        ("When it happened.", "too short"),
        ("The number of tickets that are open.", "says 'tickets'"),
        ("The account whose clock it is.", "says 'whose'"),
        ("The `opened_at` of the opened at.", "repeats the name"),
        ("Time of opening; null while unknown.", "says null of a value that is never null"),
    ],
)
def test_a_description_with_a_fault_is_found(description: str, fault: str) -> None:
    schema = build_schema(f'type Query {{ "{description}" openedAt: Int! }}')
    [field] = [each for each in elements(schema) if each.name == "openedAt"]
    assert fault in faults(field)


def test_names_in_code_quotes_and_nullable_values_are_no_faults() -> None:
    text = "Kinds of incidents, as in `ticketKinds`; null for all."
    schema = build_schema(f'type Query {{ "{text}" kinds: [Int] }}')
    assert [faults(each) for each in elements(schema) if each.name == "kinds"] == [[]]
