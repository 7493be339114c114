"""What clients were promised by the last release still holds, or the changelog says by name what does not."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from graphql import build_schema
from graphql.utilities import find_breaking_changes

from schema.build import sdl

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "schema" / "released.graphql"


SECTION = re.compile(r"(?:(\d+\.\d+\.\d+) – )?(\d{4}-\d\d-\d\d)")
GROUPS = ("Added", "Changed", "Fixed", "Removed")


def sections() -> Iterator[tuple[str, str]]:
    """The sections of the changelog, newest first: heading and text."""
    for section in (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        yield heading, text


def unreleased() -> str:
    """The changelog's words since the last release: the sections that no version heads."""
    return "\n".join(
        text for _, text in itertools.takewhile(lambda each: "." not in each[0], sections())
    )


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


def test_the_changelog_has_dated_sections_with_known_groups() -> None:
    days = []
    for heading, text in sections():
        found = SECTION.fullmatch(heading)
        assert found, f"{heading!r}: a section is a day, or a version and a day"
        days.append(found[2])
        groups = re.findall(r"^### (.*)$", text, re.MULTILINE)
        assert groups == [each for each in GROUPS if each in groups], heading
        assert "\n- " not in text.split("\n### ")[0], f"{heading}: every entry stands in a group"
    assert days == sorted(set(days), reverse=True)
