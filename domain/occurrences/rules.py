"""Rules of the occurrence log: when an entry may have happened, and what it said at a time. Values in, values out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_text
from domain.occurrences.model import OccurrenceCorrection, OccurrenceEntry, OccurrenceKind

LOGGED_WITHIN = timedelta(days=14)
"""How long after it happened something can be logged."""
BEFORE_SHIFT, AFTER_SHIFT = timedelta(hours=1), timedelta(hours=24)
"""How long before and after its shift an entry may have happened."""


@dataclass(frozen=True, slots=True)
class OccurrenceDraft:
    """What is to be logged; without a time it happened now."""

    kind: OccurrenceKind
    words: str
    happened_at: datetime | None = None
    internal: bool = False


class EntryState(NamedTuple):
    """What an entry says, or said at a time."""

    kind: OccurrenceKind
    words: str
    internal: bool


def must_be_loggable(draft: OccurrenceDraft, *, at: datetime) -> datetime:
    """Return when it happened; refuse a text that is none, and a time in the future or too long ago."""
    must_be_text(draft.words, "words")
    happened_at = draft.happened_at or at
    if happened_at > at:
        raise Refused(Code.TIME_REVERSED, "The time is in the future.", argument="happenedAt")
    if at - happened_at > LOGGED_WITHIN:
        raise Refused(
            Code.TIME_REVERSED,
            f"An entry is logged within {LOGGED_WITHIN.days} days after it happened.",
            argument="happenedAt",
        )
    return happened_at


def must_be_within_shift(happened_at: datetime, from_at: datetime, until_at: datetime) -> None:
    """Refuse a time that does not belong to a shift."""
    if not from_at - BEFORE_SHIFT <= happened_at <= until_at + AFTER_SHIFT:
        raise Refused(
            Code.TIME_REVERSED,
            "An entry about a shift happened from an hour before it until a day after it.",
            argument="happenedAt",
        )


def state_of(row: OccurrenceEntry) -> EntryState:
    """Return what an entry says now."""
    return EntryState(row.kind, row.words, row.internal)


def state_after(
    row: OccurrenceEntry, corrections: Sequence[OccurrenceCorrection], number: int
) -> EntryState:
    """Return what an entry said after its first `number` corrections."""
    for each in corrections:
        if each.place == number + 1:
            return EntryState(each.earlier_kind, each.earlier_words, each.earlier_internal)
    return state_of(row)


def digest_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of the content of a report, as JSON with sorted keys and without spaces."""
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
