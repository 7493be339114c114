"""Rules of feedback: the driver of each theme, when a score and the words beside it disagree, and words of themes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from domain.sentiment import TAXONOMY, PolarityClass, Theme
from domain.surveys import SCALES, QuestionKind

HIGH, LOW = 750_000, 400_000
"""Scores, in millionths of the scale, from which a text is expected to be positive, and up to which negative."""
MOST_WORDS = 300
"""Number of words and phrases that a company may add to one theme, or leave out of it."""
LONGEST = 60
_WORD = re.compile(r"[^\W\d_]{2,}")

ThemeWordChanges = Mapping[str, Mapping[str, Sequence[str]]]
"""Words by theme that a company adds (`added`) to the taxonomy of the program, and leaves out (`removed`)."""


class FeedbackKind(StrEnum):
    """Kind of text that clients write."""

    SURVEY_ANSWER = "survey_answer"
    REVIEW = "review"
    INCIDENT_UPDATE = "incident_update"


class SatisfactionDriver(StrEnum):
    """Driver of satisfaction: the parent of themes."""

    QUALITY = "quality"
    RESPONSIVENESS = "responsiveness"
    EXPERTISE = "expertise"
    INNOVATION = "innovation"
    RELATIONSHIP = "relationship"
    RESOLUTION = "resolution"
    VALUE = "value"
    COMMUNICATION = "communication"


DRIVERS = {
    Theme.PUNCTUALITY: SatisfactionDriver.QUALITY,
    Theme.COVERAGE: SatisfactionDriver.QUALITY,
    Theme.CONDUCT: SatisfactionDriver.RELATIONSHIP,
    Theme.EXPERTISE: SatisfactionDriver.EXPERTISE,
    Theme.RESPONSE: SatisfactionDriver.RESPONSIVENESS,
    Theme.RESOLUTION: SatisfactionDriver.RESOLUTION,
    Theme.COMMUNICATION: SatisfactionDriver.COMMUNICATION,
    Theme.REPORTING: SatisfactionDriver.COMMUNICATION,
    Theme.PATROLS: SatisfactionDriver.QUALITY,
    Theme.BILLING: SatisfactionDriver.VALUE,
    Theme.CONTINUITY: SatisfactionDriver.RELATIONSHIP,
    Theme.TECHNOLOGY: SatisfactionDriver.INNOVATION,
}
"""The driver that each theme belongs to."""


class TextTheme(NamedTuple):
    """A theme of a text, with its driver and the words that decided."""

    theme: Theme
    parent: SatisfactionDriver
    words: tuple[str, ...]


class ThemeWords(NamedTuple):
    """A theme with the words and phrases by which it is found."""

    theme: Theme
    parent: SatisfactionDriver
    words: tuple[str, ...]


class ThemeWordChange(NamedTuple):
    """What a company adds to the words of a theme, and leaves out."""

    theme: Theme
    added: tuple[str, ...]
    removed: tuple[str, ...]


def text_themes(themes: Iterable[str], words: Mapping[str, Iterable[str]]) -> list[TextTheme]:
    """Return the themes of a text with their drivers and words; a theme that a person added has no words."""
    return [
        TextTheme(theme, DRIVERS[theme], tuple(words.get(theme, ())))
        for theme in map(Theme, themes)
    ]


def theme_changes(changes: ThemeWordChanges) -> list[ThemeWordChange]:
    """Return a company's changes by theme."""
    added, removed = changes.get("added", {}), changes.get("removed", {})
    return [
        ThemeWordChange(theme, tuple(added.get(theme, ())), tuple(removed.get(theme, ())))
        for theme in Theme
        if theme in added or theme in removed
    ]


def score_of(numbers: Iterable[tuple[QuestionKind, int]]) -> int | None:
    """Return the mean of a response's answers as millionths of their scales; None without a valid one."""
    shares = [
        (number - scale[0]) / (scale[-1] - scale[0])
        for kind, number in numbers
        if (scale := SCALES.get(kind)) is not None and number in scale
    ]
    return round(1e6 * sum(shares) / len(shares)) if shares else None


def disagrees(score: int | None, label: PolarityClass) -> bool:
    """Return whether a score and the words beside it say the opposite, such as a 9 with a bitter comment."""
    if score is None:
        return False
    if label is PolarityClass.NEGATIVE:
        return score >= HIGH
    return label is PolarityClass.POSITIVE and score <= LOW


def is_theme_word(word: str) -> bool:
    """Return whether the taxonomy can hold a word or phrase: each part around `…` has two letters in a row."""
    pieces = word.removesuffix("$").split("…")
    fits = 2 <= len(word) <= LONGEST and "," not in word and "$" not in word[:-1]
    return fits and all(_WORD.search(piece) for piece in pieces)


def merged(changes: ThemeWordChanges) -> dict[Theme, tuple[str, ...]]:
    """Return the words of each theme with a company's changes."""
    added, removed = changes.get("added", {}), changes.get("removed", {})
    return {
        theme: tuple(
            word
            for word in dict.fromkeys((*TAXONOMY.get(theme, ()), *added.get(theme, ())))
            if word not in removed.get(theme, ())
        )
        for theme in Theme
    }


def revised(
    changes: ThemeWordChanges, theme: Theme, add: Iterable[str], remove: Iterable[str]
) -> dict[str, dict[str, list[str]]]:
    """Return a company's changes after words of one theme were added and left out; the last decision counts."""
    own = TAXONOMY.get(theme, ())
    found = {
        part: {key: list(words) for key, words in changes.get(part, {}).items()}
        for part in ("added", "removed")
    }
    added = found["added"].setdefault(theme, [])
    removed = found["removed"].setdefault(theme, [])
    for word in add:
        if word in removed:
            removed.remove(word)
        if word not in own and word not in added:
            added.append(word)
    for word in remove:
        if word in added:
            added.remove(word)
        if word in own and word not in removed:
            removed.append(word)
    return {part: {key: words for key, words in of.items() if words} for part, of in found.items()}
