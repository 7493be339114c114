"""What clients were promised by the last release still holds, or the changelog says by name what does not."""

import re
from pathlib import Path

from graphql import build_schema
from graphql.utilities import find_breaking_changes

from schema.build import sdl

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "schema" / "released.graphql"


def unreleased() -> str:
    """The changelog's words about the release that is being made."""
    return (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]


def broken(before: str, after: str, told: str) -> list[str]:
    """What breaks clients and is not told; a change is told when the changelog quotes a name that it is about."""
    quoted = set(re.findall(r"`([^`]+)`", told))
    changes = find_breaking_changes(build_schema(before), build_schema(after))
    return [
        c.description for c in changes if not quoted & set(re.findall(r"[\w.]*\w", c.description))
    ]


def test_no_client_of_the_last_release_is_broken_without_a_word() -> None:
    assert broken(RELEASED.read_text(), sdl(), unreleased()) == []


def test_a_field_that_goes_is_seen_and_may_be_told() -> None:
    before, after = "type Query { kept: Int gone: Int }", "type Query { kept: Int }"
    assert broken(before, after, "nothing") == ["Field Query.gone was removed."]
    assert broken(before, after, "- `Query.gone` went.") == []
    assert broken(after, before, "nothing") == []
