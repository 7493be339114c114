"""Rules of replies: which rule is for a review, which of its texts is chosen, and when a reply is due."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.calendars import CalendarSpec, worked_us

NEGATIVE_POLARITY = -0.25
"""Polarity below which a text is negative, whatever its rating."""
UNREPEATED = timedelta(days=30)
"""Time in which a text is not used twice on a page."""
OLDEST = timedelta(days=30)
"""Age of a review from which no reply is drafted by itself: what is imported is not answered years later."""
MOST_TEMPLATES = 10
REPLYING = frozenset({"google", "kiyoh", "trustpilot"})
"""Kinds of sources that take replies."""
LONGEST_REPLY = 4_096
"""Characters of a reply that every platform takes."""
COMPANY = "{company}"
"""What stands for the company's name in a template."""
_WEEK = tuple((((0, 1440),) if day < 5 else ()) for day in range(7))
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class ReviewTraits(NamedTuple):
    """What rules look at in a review."""

    source_id: UUID
    share: float
    polarity: float | None
    has_words: bool
    language: str | None
    themes: frozenset[str]


class Conditions(Protocol):
    """Columns of a rule that say which reviews it is for."""

    source_id: UUID | None
    share_low: float | None
    share_high: float | None
    polarity_low: float | None
    polarity_high: float | None
    has_words: bool | None
    languages: list[str]
    themes: list[str]


def is_for(rule: Conditions, review: ReviewTraits) -> bool:
    """Return whether a review meets every condition of a rule; one of unknown polarity meets none about polarity."""
    return (
        rule.source_id in {None, review.source_id}
        and _within(review.share, rule.share_low, rule.share_high)
        and _within(review.polarity, rule.polarity_low, rule.polarity_high)
        and rule.has_words in {None, review.has_words}
        and (not rule.languages or review.language in rule.languages)
        and (not rule.themes or bool(review.themes & set(rule.themes)))
    )


def is_negative(share: float, polarity: float | None, *, negative: float) -> bool:
    """Return whether a review is negative: by its rating or by its text, whichever is worse."""
    return share <= negative or (polarity is not None and polarity < NEGATIVE_POLARITY)


def chosen_text(review_id: UUID, templates: Sequence[str], used: Collection[str]) -> str | None:
    """Return the template for a review: by a hash of its id, else the next unused one; None when all were used."""
    start = int.from_bytes(sha256(review_id.bytes).digest()[:8])
    taken = {same_text(each) for each in used}
    for step in range(len(templates)):
        text = templates[(start + step) % len(templates)]
        if same_text(text) not in taken:
            return text
    return None


def same_text(words: str) -> str:
    """Return a text in the form in which two that a reader takes for the same one are equal."""
    return " ".join(re.findall(r"\w+", words.casefold()))


def unknown_placeholders(template: str) -> list[str]:
    """Return what stands between braces in a template and means nothing."""
    return [each for each in _PLACEHOLDER.findall(template) if each != COMPANY]


def filled(template: str, company: str) -> str:
    """Return a template with the company's name."""
    return template.replace(COMPANY, company)


def office_days(zone: str, country: str = "NL") -> CalendarSpec:
    """Return the calendar of replies: whole days from Monday to Friday without public holidays."""
    return CalendarSpec(zone=zone, hours=_WEEK, country=country)


def due_at(spec: CalendarSpec, start: datetime, time: timedelta) -> datetime:
    """Return the instant at which `time` of the calendar has passed since `start`."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    from_us, needed = _us(start - epoch), _us(time)
    low, high = from_us + needed, from_us + needed
    while worked_us(spec, from_us, high) < needed:
        high += _us(timedelta(days=7))
    while low < high:  # the earliest instant by which enough has passed
        middle = (low + high) // 2
        low, high = (
            (low, middle) if worked_us(spec, from_us, middle) >= needed else (middle + 1, high)
        )
    return epoch + timedelta(microseconds=low)


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    if value is None:
        return False
    return (low is None or low <= value) and (high is None or value <= high)


def _us(time: timedelta) -> int:
    return time // timedelta(microseconds=1)
