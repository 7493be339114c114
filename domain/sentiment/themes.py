"""Themes of what people wrote, by a taxonomy of words: which words decided is always shown. Pure functions.

A word of the taxonomy is found at the beginning of a word of the text (`laat` finds `later`), so that inflected forms
need no entry; one that ends with `$` is found as a whole word, and `…` stands for up to four words between two
others. A text can have several themes, or none.
"""

import csv
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TAXONOMY_VERSION = 2
"""Number of the taxonomy that comes with the program; it is raised with every change of its words."""


class Theme(StrEnum):
    """Theme of feedback about guarding."""

    PUNCTUALITY = "punctuality"
    COVERAGE = "coverage"
    CONDUCT = "conduct"
    EXPERTISE = "expertise"
    RESPONSE = "response"
    RESOLUTION = "resolution"
    COMMUNICATION = "communication"
    REPORTING = "reporting"
    PATROLS = "patrols"
    BILLING = "billing"
    CONTINUITY = "continuity"
    TECHNOLOGY = "technology"


class FoundTheme(NamedTuple):
    """A theme of a text, with the words of the text that decided."""

    theme: Theme
    words: tuple[str, ...]


Taxonomy = Mapping[Theme, tuple[str, ...]]
"""The words of each theme, in all languages."""

_FILE = Path(__file__).parent / "taxonomy.tsv"


def _read(path: Path) -> Taxonomy:
    found: dict[Theme, list[str]] = {theme: [] for theme in Theme}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            found[Theme(row["theme"])] += row["words"].split(", ")
    return {theme: tuple(words) for theme, words in found.items()}


TAXONOMY = _read(_FILE)


def themes_of(text: str, taxonomy: Taxonomy = TAXONOMY) -> list[FoundTheme]:
    """Return the themes of a text in Dutch or English, with the words that decided."""
    line = " ".join(text.casefold().replace("’", "'").split())
    found = []
    for theme in Theme:
        words = taxonomy.get(theme)
        if words:
            hits = dict.fromkeys(match[0].strip() for match in _pattern(words).finditer(line))
            if hits:
                found.append(FoundTheme(theme, tuple(hits)))
    return found


@lru_cache(maxsize=500)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = [_part(each) for each in sorted(words, key=lambda each: (-len(each), each))]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})")


def _part(word: str) -> str:
    pieces = [re.escape(each.strip(" $")) for each in word.casefold().split("…")]
    found = r"(?:\W+\w+){0,4}?\W+".join(pieces)
    return rf"{found}\b" if word.endswith("$") else rf"{found}\w*"
