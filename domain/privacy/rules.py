"""Rules: whom an erasure is about, how long what is kept, and how a person is found in free text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

ERASED = "erased"


class Person(StrEnum):
    """Who has a right to see and to be forgotten."""

    CONTACT = "contact"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind of personal data is kept."""

    messages: timedelta  # from when one was written
    words: timedelta  # in facts, from when the fact happened
    users: timedelta  # from the end of their access


WORDS, LETTERS, DIGITS = 2, 6, 7
"""What makes a name or a number distinctive: so many words and letters, so many digits."""


class Named(Protocol):
    """Somebody with a name and an address."""

    name: Any
    email: Any


def identifiers(row: Named, *, name: bool = True) -> list[str]:
    """What refers to one person and nothing else: address, telephone number and (with `name`) the full name.

    A single word or a short name is also an ordinary word in other sentences, so it identifies nobody.
    """
    known = [row.email or ""]
    phone = getattr(row, "phone", None) or ""
    if sum(each.isdigit() for each in phone) >= DIGITS:
        known.append(phone)
    full = " ".join((row.name or "").split())
    letters = sum(each.isalnum() for each in full)
    if name and len(full.split()) >= WORDS and letters >= LETTERS:
        known.append(full)
    return [each for each in known if each]


def pattern(names: Iterable[str]) -> str | None:
    """A PostgreSQL regular expression (for `~*`) that finds any of these as whole words; None without names."""
    known = sorted({name.strip() for name in names if name.strip()})
    if not known:
        return None
    return f"(?<![[:alnum:]_])({'|'.join(map(re.escape, known))})(?![[:alnum:]_])"
