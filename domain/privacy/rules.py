"""Rules: the kinds of persons, retention periods, and how a person is found in free text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

ERASED = "erased"


class Person(StrEnum):
    """Kind of person with a right to access and erasure."""

    CONTACT = "contact"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention period of each kind of personal data."""

    messages: timedelta  # from the creation of a message
    words: timedelta  # texts in facts, from the time of the fact
    users: timedelta  # from the end of a user's access


MIN_WORDS, MIN_LETTERS, MIN_DIGITS = 2, 6, 7
"""What makes a name or a number distinctive: minimum words, letters and digits."""


class Named(Protocol):
    """A row with a name and an address."""

    name: Any
    email: Any


def identifiers(row: Named, *, name: bool = True) -> list[str]:
    """Return what identifies one person only: address, telephone number and (with `name`) the full name.

    A single word or a short name is also an ordinary word in other sentences, so it identifies nobody.
    """
    known = [row.email or ""]
    phone = getattr(row, "phone", None) or ""
    if sum(each.isdigit() for each in phone) >= MIN_DIGITS:
        known.append(phone)
    full = " ".join((row.name or "").split())
    letters = sum(each.isalnum() for each in full)
    if name and len(full.split()) >= MIN_WORDS and letters >= MIN_LETTERS:
        known.append(full)
    return [each for each in known if each]


def pattern(names: Iterable[str]) -> str | None:
    """Return a PostgreSQL regular expression (for `~*`) that finds any of these as whole words; None without names."""
    known = sorted({name.strip() for name in names if name.strip()})
    if not known:
        return None
    return f"(?<![[:alnum:]_])({'|'.join(map(re.escape, known))})(?![[:alnum:]_])"
