"""Whoever introspects the API reads a description of every type, field, argument and value."""

from collections.abc import Iterator
from typing import Any

from schema.build import build


def undescribed(kind: dict[str, Any]) -> Iterator[str]:
    """The elements of a type that have no description."""
    name = kind["name"]
    if not kind["description"]:
        yield name
    for group in ("fields", "inputFields", "enumValues"):
        for each in kind[group] or ():
            if not each["description"]:
                yield f"{name}.{each['name']}"
            for argument in each.get("args") or ():
                if not argument["description"]:
                    yield f"{name}.{each['name']}({argument['name']})"


def test_introspection_describes_everything() -> None:
    kinds = build().introspect()["__schema"]["types"]
    own = [each for each in kinds if not each["name"].startswith("__")]
    assert len(own) > 300
    assert [missing for each in own for missing in undescribed(each)] == []


def test_an_element_without_a_description_is_found() -> None:
    bare = {"name": "x", "description": ""}
    field = {"name": "f", "description": "A field.", "args": [bare]}
    kind = {
        "name": "T",
        "description": "A type.",
        "fields": [field],
        "inputFields": [bare],
        "enumValues": None,
    }
    assert list(undescribed(kind)) == ["T.f(x)", "T.x"]
