"""The port of sentiment: texts in, their polarity out; an adapter for each method."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from domain.sentiment.heads import PolarityHead
from domain.sentiment.themes import Theme

NEUTRAL_BELOW = 0.25
"""A polarity nearer to zero than this is neutral."""


class SentimentMethod(StrEnum):
    """Method by which the polarity of a text was computed."""

    PLAIN = "plain"
    E5 = "e5"


class PolarityClass(StrEnum):
    """Class of a polarity, with a neutral band around zero."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Polarity(NamedTuple):
    """Polarity of a text from −1 to 1, the probability that its sign is right, and the words that decided."""

    value: float
    confidence: float
    words: tuple[str, ...]

    @property
    def of_class(self) -> PolarityClass:
        """Return the class of the polarity."""
        return class_of(self.value)


class PolarityModel(Protocol):
    """A method with its weights; the same texts give the same result on every call."""

    @property
    def method(self) -> SentimentMethod:
        """Return the method."""

    @property
    def version(self) -> str:
        """Return the version of the weights; another one may give other results."""

    @property
    def head(self) -> PolarityHead:
        """Return the weights."""

    def polarity(self, texts: Sequence[str]) -> list[Polarity]:
        """Return the polarity of each text, in order; any string is accepted."""

    def suggested_themes(self, texts: Sequence[str]) -> list[Theme | None]:
        """Return the theme that each text may be about, for a person to confirm; None where nothing is near."""


def class_of(value: float) -> PolarityClass:
    """Return the class of a polarity."""
    if abs(value) < NEUTRAL_BELOW:
        return PolarityClass.NEUTRAL
    return PolarityClass.POSITIVE if value > 0 else PolarityClass.NEGATIVE
