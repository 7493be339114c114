"""The plain method: weighted words, pairs and parts of words. It needs no library, and it is always there."""

import math
from collections import Counter
from collections.abc import Sequence

from domain.sentiment.features import Word, features_of, words_of
from domain.sentiment.heads import PolarityHead, shipped
from domain.sentiment.port import Polarity, SentimentMethod
from domain.sentiment.themes import Theme

ENCODER = "plain-1"
"""Name of the features; it changes with how they are computed."""

FILE = "plain.json"
MOST_WORDS = 5
"""Number of deciding words that are named."""


class PlainModel:
    """Polarity by the weights of the words, pairs and parts of words in a text."""

    method = SentimentMethod.PLAIN

    def __init__(self, head: PolarityHead | None = None) -> None:
        self._head = head or shipped(FILE, encoder=ENCODER)
        names = self._head.features.split("\n")
        self._weights = {
            name: (idf(count, self._head.documents), coef / 10_000)
            for name, count, coef in zip(names, self._head.texts, self._head.coef, strict=True)
        }

    @property
    def version(self) -> str:
        """Return the version of the weights."""
        return self._head.version

    def polarity(self, texts: Sequence[str]) -> list[Polarity]:
        """Return the polarity of each text with the words that contributed most in its direction."""
        return [self._one(text) for text in texts]

    @property
    def head(self) -> PolarityHead:
        """Return the weights."""
        return self._head

    def suggested_themes(self, texts: Sequence[str]) -> list[Theme | None]:
        """Suggest nothing: without an encoder there is no nearness."""
        return [None] * len(texts)

    def _one(self, text: str) -> Polarity:
        words = words_of(text)
        by_word = self._contributions(words)
        value = max(-1.0, min(1.0, sum(by_word) + self._head.intercept))
        return Polarity(value, self._head.confidence_of(value), deciding(words, by_word, value))

    def _contributions(self, words: list[Word]) -> list[float]:
        """Return what each word adds to the polarity; a pair is shared by its two words."""
        known = [each for each in features_of(words) if each.key in self._weights]
        by_word = [0.0] * len(words)
        for block in (
            [each for each in known if each.is_part],
            [each for each in known if not each.is_part],
        ):
            counts = Counter(each.key for each in block)
            values = {key: weighted(count) * self._weights[key][0] for key, count in counts.items()}
            length = math.sqrt(sum(value * value for value in values.values()))
            for each in block:
                share = values[each.key] / length / counts[each.key] * self._weights[each.key][1]
                by_word[each.first] += share / 2
                by_word[each.last] += share / 2
        return by_word


def deciding(words: list[Word], by_word: list[float], value: float) -> tuple[str, ...]:
    """Return the words that pushed a polarity most in its direction, in the order of the text.

    A word after a negation is named together with the negation and what stands between them.
    """
    pushes = {at: push for at, push in enumerate(by_word) if push * value > 0}
    chosen = sorted(pushes, key=lambda at: (-abs(pushes[at]), at))[:MOST_WORDS]
    spans: list[tuple[int, int]] = []
    for at in sorted(chosen):
        start = at
        while words[start].is_negated and not words[start].starts_clause:
            start -= 1
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((start, at))
    return tuple(
        dict.fromkeys(" ".join(word.written for word in words[a : b + 1]) for a, b in spans)
    )


def idf(texts: int, documents: int) -> float:
    """Return the weight of a feature by the number of texts that contain it."""
    return math.log((1 + documents) / (1 + texts)) + 1


def weighted(count: int) -> float:
    """Return the weight of a feature by its number of occurrences in the text."""
    return 1 + math.log(count)
