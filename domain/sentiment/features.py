"""Features of a text: words, pairs of words and parts of words; words after a negation are marked. Pure functions."""

import re
from typing import NamedTuple
from unicodedata import normalize

LONGEST = 4_000
"""Characters of a text that are read; what follows is left out."""

NEGATIONS = frozenset(
    [
        "niet",
        "geen",
        "nooit",
        "niets",
        "niks",
        "niemand",
        "nergens",
        "nauwelijks",
        "zelden",
        "noch",
        "zonder",
        "weinig",
        "amper",
        "evenmin",
        "allerminst",
        "not",
        "no",
        "never",
        "nothing",
        "none",
        "nobody",
        "nowhere",
        "hardly",
        "barely",
        "rarely",
        "seldom",
        "neither",
        "nor",
        "without",
        "cannot",
        "little",
        "dont",
        "doesnt",
        "didnt",
        "isnt",
        "wasnt",
        "arent",
        "werent",
        "wont",
        "wouldnt",
        "couldnt",
        "cant",
        "havent",
        "hasnt",
        "hadnt",
        "shouldnt",
    ]
)
REACH = 3
"""Number of words after a negation that are marked, unless the clause ends before."""

PARTS = range(3, 6)
"""Lengths of the parts of words."""

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[.,;:!?()\n]")
_BREAKS = frozenset({"maar", "but", "want", "because", "omdat", "terwijl", "while"})
_MARK = "¬"


class Word(NamedTuple):
    """A word of a text as written, its form in lower case, and whether a negation stands shortly before it."""

    written: str
    plain: str
    is_negated: bool
    starts_clause: bool


class Feature(NamedTuple):
    """A feature of a text, with the positions of the words that it covers."""

    key: str
    first: int
    last: int

    @property
    def is_part(self) -> bool:
        """Return whether it is a part of a word."""
        return self.key[0] == "_"


def words_of(text: str) -> list[Word]:
    """Return the words of a text in order."""
    found: list[Word] = []
    left, is_start = 0, True
    for match in _TOKEN.finditer(normalize("NFC", text[:LONGEST])):
        written = match[0]
        plain = written.casefold().replace("'", "").replace("’", "")
        if not plain[0].isalnum() or plain in _BREAKS:
            left, is_start = 0, True
        if plain[0].isalnum():
            found.append(Word(written, plain, left > 0, is_start))
            left = REACH if plain in NEGATIONS else left - 1
            is_start = False
    return found


def features_of(words: list[Word]) -> list[Feature]:
    """Return the features of a text, the same one as often as it occurs."""
    found: list[Feature] = []
    for at, word in enumerate(words):
        mark = _MARK if word.is_negated else ""
        found.append(Feature(mark + word.plain, at, at))
        if not word.starts_clause:
            found.append(Feature(f"{words[at - 1].plain} {word.plain}", at - 1, at))
        whole = f"<{word.plain}>"
        found += [
            Feature(f"_{mark}{whole[start : start + length]}", at, at)
            for length in PARTS
            for start in range(len(whole) - length + 1)
        ]
    return found
