"""Weights that suggest a theme for a text without words of one: a line for each theme over one encoder."""

import hashlib
from functools import cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.sentiment.heads import FOLDER, UnusableHeadError
from domain.sentiment.themes import Theme

THEMES_FILE = "e5_themes.json"
NEAR = -0.2
"""Score from which a theme is suggested; texts of a theme were trained towards 1, all others towards -1."""


class ThemeHead(msgspec.Struct, frozen=True, kw_only=True):
    """A linear model for each theme: (rows - mean) / scale · coef + intercept; `coef` in units of 0.0001."""

    encoder: str
    mean: list[float]
    scale: list[float]
    coef: dict[str, list[int]]
    intercept: dict[str, float]
    figures: dict[str, Any]
    sha256: str = ""

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a score for each text and theme."""
        weights = np.array([self.coef[theme] for theme in Theme]) / 10_000
        start = np.array([self.intercept[theme] for theme in Theme])
        found: NDArray[np.float64] = (rows - self.mean) / np.array(self.scale) @ weights.T + start
        return found

    def nearest(self, rows: NDArray[np.float64]) -> list[Theme | None]:
        """Return the theme with the highest score for each row; None where none is near."""
        if not len(rows):
            return []
        scores, themes = self.scores(rows), list(Theme)
        best = scores.argmax(axis=1)
        return [themes[at] if scores[row, at] >= NEAR else None for row, at in enumerate(best)]


def sealed_themes(head: ThemeHead) -> ThemeHead:
    """Return the head with its checksum."""
    return msgspec.structs.replace(head, sha256=_checksum(head))


def encoded_themes(head: ThemeHead) -> bytes:
    """Return the file of a head; the same head gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(head, order="deterministic"), indent=0) + b"\n"


@cache
def shipped_themes(encoder: str) -> ThemeHead:
    """Return the head that comes with the program; raise UnusableHeadError for a changed file, or another encoder."""
    head = msgspec.json.decode((FOLDER / THEMES_FILE).read_bytes(), type=ThemeHead)
    if head.encoder != encoder or head.sha256 != _checksum(head):
        raise UnusableHeadError(
            f"The weights of themes are not for the encoder {encoder}, or their file was changed."
        )
    return head


def _checksum(head: ThemeHead) -> str:
    content = msgspec.structs.replace(head, sha256="")
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
