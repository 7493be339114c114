"""Checks JSON-LD against what schema.org publishes of the types that the showcase uses.

Types, supertypes, properties and the types of their values are those of https://schema.org/version/latest/schemaorg-current-https.jsonld
(also the page of each type, such as https://schema.org/Review).
"""

from datetime import date
from typing import Any, NamedTuple

CONTEXT = "https://schema.org"


class SchemaType(NamedTuple):
    """A type of schema.org: its supertype, and the types that each of its own properties may have."""

    parent: str | None
    properties: dict[str, frozenset[str]]


def _of(**properties: str) -> dict[str, frozenset[str]]:
    return {name: frozenset(kinds.split()) for name, kinds in properties.items()}


TYPES = {
    "Thing": SchemaType(
        None, _of(name="Text", description="Text", url="URL", subjectOf="CreativeWork Event")
    ),
    "CreativeWork": SchemaType(
        "Thing",
        _of(
            about="Thing", author="Organization Person", datePublished="Date DateTime",
            headline="Text", inLanguage="Language Text", review="Review",
        ),
    ),
    "Article": SchemaType("CreativeWork", _of(articleBody="Text", articleSection="Text")),
    "Review": SchemaType(
        "CreativeWork", _of(reviewBody="Text", itemReviewed="Thing", reviewRating="Rating")
    ),
    "Organization": SchemaType("Thing", _of(review="Review", legalName="Text")),
    "Person": SchemaType("Thing", _of(jobTitle="DefinedTerm Text", givenName="Text")),
}  # fmt: skip
NEEDED = {
    "Organization": {"name"},
    "Person": {"name"},
    "Review": {"author", "itemReviewed", "reviewBody"},
    "Article": {"author", "headline", "articleBody"},
}
"""What a reader of these types cannot do without."""


def problems(node: Any, place: str = "$") -> list[str]:
    """List what is wrong with a description; the outermost one names its context."""
    found = [] if node.get("@context") == CONTEXT else [f"{place}: context"]
    return found + _problems({k: v for k, v in node.items() if k != "@context"}, place)


def _problems(node: dict[str, Any], place: str) -> list[str]:
    kind = node.get("@type")
    if kind not in TYPES:
        return [f"{place}: unknown type {kind}"]
    found = [f"{place}: no {name}" for name in sorted(NEEDED.get(kind, set()) - node.keys())]
    for name, value in node.items():
        if name == "@type":
            continue
        allowed = _expected(kind, name)
        if allowed is None:
            found.append(f"{place}.{name}: {kind} has no such property")
            continue
        for at, each in enumerate(value if isinstance(value, list) else [value]):
            found += _value(each, allowed, f"{place}.{name}[{at}]")
    return found


def _value(value: Any, allowed: frozenset[str], place: str) -> list[str]:
    if isinstance(value, dict):
        fits = any(kind in allowed for kind in _line(value.get("@type")))
        wrong = [] if fits else [f"{place}: {value.get('@type')} is none of {sorted(allowed)}"]
        return wrong + _problems(value, place)
    if not isinstance(value, str) or not value:
        return [f"{place}: neither a text nor a node"]
    if "Date" in allowed:
        try:
            date.fromisoformat(value)
        except ValueError:
            return [f"{place}: no date of ISO 8601"]
        return []
    return [] if allowed & {"Text", "URL"} else [f"{place}: a text is none of {sorted(allowed)}"]


def _expected(kind: str | None, name: str) -> frozenset[str] | None:
    return next(
        (TYPES[each].properties[name] for each in _line(kind) if name in TYPES[each].properties),
        None,
    )


def _line(kind: str | None) -> list[str]:
    """A type and its supertypes."""
    found = []
    while kind is not None and kind in TYPES:
        found.append(kind)
        kind = TYPES[kind].parent
    return found
