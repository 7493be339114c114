"""Rules: whom an erasure is about, how long what is kept, and how a person is found in free text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

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


def pattern(names: Iterable[str | None]) -> str | None:
    """A PostgreSQL regular expression (for `~*`) that finds any of these names as whole words; None without names."""
    known = sorted({name.strip() for name in names if name and name.strip() and name != ERASED})
    if not known:
        return None
    return f"(?<![[:alnum:]_])({'|'.join(map(re.escape, known))})(?![[:alnum:]_])"
