"""What a public reply must not contain: names, addresses, numbers of incidents, telephone, e-mail, IBAN, number plates.

Pure functions. Where in doubt a piece counts as confidential: a person can word a sentence anew, and nobody can take
back what was published.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from stdnum import iban


class PieceKind(StrEnum):
    """Kind of confidential piece of a text."""

    NAME = "name"
    ADDRESS = "address"
    INCIDENT = "incident"
    PHONE = "phone"
    EMAIL = "email"
    IBAN = "iban"
    PLATE = "plate"


class ConfidentialPiece(NamedTuple):
    """A piece of a text that must not be published, as it was found."""

    kind: PieceKind
    text: str


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names that the company keeps: of people, of clients and of sites; streets and places of sites."""

    people: Collection[str] = field(default_factory=tuple)
    organisations: Collection[str] = field(default_factory=tuple)
    streets: Collection[str] = field(default_factory=tuple)
    postcodes: Collection[str] = field(default_factory=tuple)


_PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "des",
        "the",
        "het",
        "ter",
        "ten",
        "tot",
        "aan",
        "bij",
        "voor",
        "uit",
        "over",
        "onder",
        "op",
        "la",
        "le",
        "los",
        "las",
        "del",
        "da",
        "dos",
        "bin",
        "ibn",
        "el",
        "al",
        "en",
        "of",
        "and",
        "mr",
        "mrs",
        "ms",
        "dr",
        "ir",
        "ing",
        "drs",
        "prof",
        "de",
        "du",
        "di",
    ]
)
"""Words in names that are not looked for by themselves."""
_SHORTEST = 3
_SHORT_WORDS = (
    "al|an|as|at|be|by|de|do|en|er|ga|go|he|if|ik|in|is|it|ja|je|km|me|my|na|no|nu|of|om|on|op|or|so|te|to|tv|up|us|we"
    "|ze|zo"
)
"""Words in small letters that after a year are no letters of a postcode."""
_LEGAL_FORMS = re.compile(
    r"[\s,]+(?:b\.?v\.?|n\.?v\.?|v\.?o\.?f\.?|ltd\.?|gmbh|inc\.?|llc)$", re.IGNORECASE
)
_STREET = (
    r"(?:straat|laan|weg|plein|kade|gracht|singel|dreef|hof|steeg|dijk|park|pad|baan|markt|plantsoen|plein|dam|haven|"
    r"wal|boulevard|allee|ring|erf|street|road|avenue|lane|square)"
)
_HOUSE = r"\s*(?:nr\.?|no\.?|nummer|number|huisnummer)?\s*\d{1,5}"
_PATTERNS: tuple[tuple[PieceKind, re.Pattern[str]], ...] = (
    (
        PieceKind.EMAIL,
        re.compile(
            r"[\w.+-]+\s*(?:@|\(at\)|\[at\]|\bat\b(?=\s*[\w-]+\s*(?:\.|\bdot\b|\(dot\))))\s*"
            r"[\w-]+(?:\s*(?:\.|\(dot\)|\[dot\]|\bdot\b)\s*[\w-]+)+",
            re.IGNORECASE,
        ),
    ),
    (
        PieceKind.ADDRESS,
        re.compile(rf"\b[1-9]\d{{3}}[\s-]?(?!(?:{_SHORT_WORDS})\b)(?i:[A-Z]{{2}})\b"),
    ),
    (PieceKind.ADDRESS, re.compile(rf"\b[\w'-]*{_STREET}{_HOUSE}\s*[a-z]?\b", re.IGNORECASE)),
    (
        PieceKind.INCIDENT,
        re.compile(
            r"\b(?:INC|CRD|RPT|TCK|TKT)[-\s.:#]*\d+"
            r"|\b(?:incident|melding|ticket|dossier|zaak|case|report|rapport|casus)(?:nummer|number|snummer|nr)?"
            r"[-\s.:#]*(?:nr\.?|no\.?|nummer|number|met nummer)?[-\s.:#]*\d+"
            r"|#\s*\d{2,}",
            re.IGNORECASE,
        ),
    ),
    (
        PieceKind.INCIDENT,
        re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE),
    ),
    (
        PieceKind.PHONE,
        re.compile(r"(?<![\w])(?:\+|00|0)[\s()./-]*(?:\d[\s()./-]*){7,14}\d(?!\w)"),
    ),
)
_IBAN = re.compile(r"\b(?=([A-Z]{2}[\s.-]?\d{2}(?:[\s.-]?[A-Z0-9]){11,30}\b))", re.IGNORECASE)
_DUTCH_IBAN = re.compile(r"NL\d{2}[A-Z]{4}\d{10}")
_SIDECODES = (
    *("XX-99-99", "99-99-XX", "99-XX-99", "XX-99-XX", "XX-XX-99", "99-XX-XX", "99-XXX-9"),
    *("9-XXX-99", "XX-999-X", "X-999-XX", "XXX-99-X", "X-99-XXX", "9-XX-999", "999-XX-9"),
)
"""Forms of Dutch number plates: X is a letter, 9 a digit."""


def _plates() -> Iterable[re.Pattern[str]]:
    for code in _SIDECODES:
        groups = [
            f"{'[A-Z]' if part[0] == 'X' else '[0-9]'}{{{len(part)}}}" for part in code.split("-")
        ]
        tight = rf"\b{groups[0]}(?P<gap>[-.·]?){groups[1]}(?P=gap){groups[2]}\b"
        yield re.compile(tight, re.IGNORECASE)
        yield re.compile(rf"\b{' +'.join(groups)}\b")  # with spaces: capitals only


_PLATES = tuple(_plates())


def confidential_pieces(words: str, known: KnownNames) -> list[ConfidentialPiece]:
    """Return what a text must not contain, in the order of kinds; none for a text that may be published."""
    text = _plain(words)
    found: dict[ConfidentialPiece, None] = {}
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            found.setdefault(ConfidentialPiece(kind, match[0].strip()))
    for match in _IBAN.finditer(text):
        if _is_iban(match[1]):
            found.setdefault(ConfidentialPiece(PieceKind.IBAN, match[1]))
    for pattern in _PLATES:
        for match in pattern.finditer(text):
            if not match[0].isdigit():
                found.setdefault(ConfidentialPiece(PieceKind.PLATE, match[0]))
    for piece in _names(text, known):
        found.setdefault(piece)
    return list(found)


def _is_iban(text: str) -> bool:
    """Return whether a text begins with an account number: a Dutch one with or without a right checksum."""
    plain = re.sub(r"[\s.-]", "", text).upper()
    if _DUTCH_IBAN.match(plain):
        return True
    lengths = range(15, min(len(plain), 34) + 1)
    return any(iban.is_valid(plain[:length]) for length in lengths)  # of a country that has them


def _names(text: str, known: KnownNames) -> Iterable[ConfidentialPiece]:
    folded = _folded(text)
    for person in known.people:
        whole = _folded(_plain(person)).strip()
        if len(whole) >= _SHORTEST and (at := _find(folded, whole)) is not None:
            yield ConfidentialPiece(PieceKind.NAME, folded[at : at + len(whole)])
        parts = [_folded(each) for each in re.findall(r"\w+", _plain(person))]
        parts = [each for each in parts if len(each) >= _SHORTEST and each not in _PARTICLES]
        if len(parts) > 1 and all(_find(folded, each) is not None for each in parts):
            yield ConfidentialPiece(PieceKind.NAME, " ".join(parts))  # in any order
        for name in parts:
            # A part of a name is often a word as well, and then written without a capital.
            for match in re.finditer(rf"\b{re.escape(name)}(?=s?\b)", folded):
                if text[match.start()].isupper():
                    yield ConfidentialPiece(PieceKind.NAME, text[match.start() : match.end()])
    for kind, names in (
        (PieceKind.NAME, known.organisations),
        (PieceKind.ADDRESS, known.streets),
        (PieceKind.ADDRESS, known.postcodes),
    ):
        for each in names:
            whole = " ".join(_folded(_LEGAL_FORMS.sub("", _plain(each).strip())).split())
            if len(whole) >= _SHORTEST and _find(folded, whole) is not None:
                yield ConfidentialPiece(kind, whole)


def _find(folded: str, name: str) -> int | None:
    """Return where a name stands as whole words, whatever separates them."""
    parts = [re.escape(part) for part in re.findall(r"\w+", name)]
    if not parts:
        return None
    together = r"[\W_]{0,3}".join(parts)
    match = re.search(rf"(?<!\w){together}s?(?!\w)", folded)
    return None if match is None else match.start()


def _plain(words: str) -> str:
    """Return a text in its compatibility form, without invisible characters and with plain spaces and dashes."""
    plain = unicodedata.normalize("NFKC", words)
    plain = "".join(each for each in plain if unicodedata.category(each) != "Cf")
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    return re.sub(r"\s+", " ", plain)


def _folded(text: str) -> str:
    """Return a text of the same length without accents and capitals."""
    return "".join(_bare(each) for each in text)


def _bare(character: str) -> str:
    bare = unicodedata.normalize("NFKD", character)[0]
    lower = bare.lower()
    return lower if len(lower) == 1 else bare
