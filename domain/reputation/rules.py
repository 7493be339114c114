"""Rules of reviews: one form for those of every platform, the normalised rating, and what counts as a change."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from domain.core.base import JSON
from domain.core.text_rules import LINE, PAGE, cleaned

FORGOTTEN = b""
"""Digest of a review or version from which the texts were erased."""
FAR = 2
"""Number of full reads without a review after which it is gone."""
NEGATIVE = 0.5
"""Highest normalised rating of a negative review."""
_CONTENT = ("rating", "stated_rating", "author", "title", "words", "language", "verification")
SHOWN = (*_CONTENT, "recommends", "reply_words", "replied_at", "changed_at")
"""Fields of a version that make it another one."""


class ReviewSourceKind(StrEnum):
    """Platform, or form of data, from which reviews are read."""

    GOOGLE = "google"
    KIYOH = "kiyoh"
    TRUSTPILOT = "trustpilot"
    JSON_FEED = "json_feed"
    RSS = "rss"
    FILE = "file"


class ReviewState(StrEnum):
    """State of a review at its source."""

    LIVE = "live"
    EDITED = "edited"
    GONE = "gone"


class ReviewLinkState(StrEnum):
    """State of a link between a review and a client."""

    SUGGESTED = "suggested"
    AUTOMATIC = "automatic"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


LINKED = frozenset({ReviewLinkState.AUTOMATIC, ReviewLinkState.CONFIRMED})


class ReviewVerification(StrEnum):
    """Whether the source says that the author is a client of the company."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    UNKNOWN = "unknown"


class RatingScale(NamedTuple):
    """Lowest and highest rating of a source."""

    low: float
    high: float

    def share_of(self, rating: float) -> float:
        """Return a rating as a share of its scale, 0 to 1; raises `ValueError` for one outside the scale."""
        if not self.low <= rating <= self.high:
            raise ValueError(f"the rating {rating:g} is outside {self.low:g} to {self.high:g}")
        return (rating - self.low) / (self.high - self.low)


SCALES = {
    ReviewSourceKind.GOOGLE: RatingScale(1, 5),
    ReviewSourceKind.TRUSTPILOT: RatingScale(1, 5),
    ReviewSourceKind.KIYOH: RatingScale(1, 10),
}
"""Scales of platforms; the other kinds of sources name their own."""


class ReadReview(msgspec.Struct, frozen=True, kw_only=True):
    """A review as it was read: `rating` is the answer to the overall question, `stated_rating` a second figure.

    Without `changed_at` the source does not say when a review was last changed.
    """

    external_id: str
    rating: float
    scale: RatingScale
    stated_rating: float | None = None
    author: str | None = None
    place: str | None = None
    title: str | None = None
    words: str | None = None
    language: str | None = None
    recommends: bool | None = None
    written_at: datetime
    changed_at: datetime | None = None
    verification: ReviewVerification = ReviewVerification.UNKNOWN
    verified_by: str | None = None
    reference: str | None = None
    url: str | None = None
    reply_words: str | None = None
    replied_at: datetime | None = None
    raw: JSON = {}

    @property
    def share(self) -> float:
        """The rating as a share of its scale, 0 to 1."""
        return self.scale.share_of(self.rating)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content: equal for two readings of one version."""
        plain = {name: getattr(self, name) for name in SHOWN}
        return sha256(msgspec.json.encode(plain, order="deterministic")).digest()

    @property
    def text_digest(self) -> bytes:
        """SHA-256 of what the author wrote and rated, without the reply."""
        return content_digest({name: getattr(self, name) for name in _CONTENT})


def content_digest(values: Mapping[str, Any]) -> bytes:
    """Return SHA-256 of what an author wrote and rated."""
    plain = {name: values[name] for name in _CONTENT}
    return sha256(msgspec.json.encode(plain, order="deterministic")).digest()


def text_of(value: object, longest: int = PAGE) -> str | None:
    """Return a text from a source without NUL characters, cut to its limit; None for a blank one."""
    if value is None:
        return None
    text = str(value).replace("\x00", "").encode(errors="replace").decode().strip()[:longest]
    return text or None


def line_of(value: object) -> str | None:
    """Return a name or title from a source as one line; None for a blank one."""
    text = text_of(value)
    return None if text is None else cleaned(text, LINE) or None
