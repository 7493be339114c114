"""Heads: the weights of a linear model over one encoder, as a file that says what it was trained on."""

import hashlib
import math
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

FOLDER: Final = Path(__file__).parent / "weights"


class PolarityHead(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A linear model: (features − mean) / scale · coef + intercept, clipped to −1…1.

    `coef` is in units of 0.0001. `confidence` holds slope and intercept of the probability that the sign is right, as a
    logistic function of the absolute polarity. Heads of the plain encoder name their features and the number of texts
    that contained each; those of others hold mean and scale of each dimension instead.
    """

    encoder: str
    dim: int
    coef: list[int]
    intercept: float
    confidence: tuple[float, float]
    trained_on: list[dict[str, Any]]
    figures: dict[str, Any]
    mean: list[float] = []
    scale: list[float] = []
    features: str = ""  # one a line
    texts: list[int] = []
    documents: int = 0
    sha256: str = ""

    @property
    def version(self) -> str:
        """Return the version: the encoder and the beginning of the checksum."""
        return f"{self.encoder}:{self.sha256[:12]}"

    def confidence_of(self, value: float) -> float:
        """Return the probability that the sign of a polarity is right; a guess is right half of the time."""
        slope, start = self.confidence
        return max(0.5, 1 / (1 + math.exp(-(slope * abs(value) + start))))


class UnusableHeadError(ValueError):
    """The file of a head was changed, or the head is for another encoder."""


def sealed(head: PolarityHead) -> PolarityHead:
    """Return the head with its checksum."""
    return msgspec.structs.replace(head, sha256=_checksum(head))


def encoded(head: PolarityHead) -> bytes:
    """Return the file of a head; the same head gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(head, order="deterministic"), indent=0) + b"\n"


def read_head(content: bytes, *, encoder: str, dim: int | None = None) -> PolarityHead:
    """Return the head in a file; raise UnusableHeadError for a changed file, or one for another encoder."""
    try:
        head = msgspec.json.decode(content, type=PolarityHead)
    except msgspec.MsgspecError as error:
        raise UnusableHeadError(f"This file holds no head: {error}") from error
    if head.encoder != encoder:
        raise UnusableHeadError(
            f"The head was trained for the encoder {head.encoder}, but {encoder} is in use. Train it again:"
            " make sentiment DATA=…"
        )
    if head.sha256 != _checksum(head):
        raise UnusableHeadError("The checksum of the head does not match: its file was changed.")
    if len(head.coef) != head.dim or dim not in {None, head.dim}:
        raise UnusableHeadError(
            f"The head has {len(head.coef)} weights for {head.dim} dimensions, and the encoder {dim or head.dim}."
        )
    return head


@cache
def shipped(name: str, *, encoder: str, dim: int | None = None) -> PolarityHead:
    """Return a head that comes with the program."""
    return read_head((FOLDER / name).read_bytes(), encoder=encoder, dim=dim)


def _checksum(head: PolarityHead) -> str:
    content = msgspec.structs.replace(head, sha256="")
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
