"""Reputation: public reviews of the company as they stand at their sources, with every version, and replies."""

from domain.reputation.intake import Taken, end_full_read, take_in
from domain.reputation.model import Review, ReviewSource, ReviewVersion
from domain.reputation.payloads import (
    at_path,
    feed_review,
    google_review,
    instant_of,
    kiyoh_review,
    trustpilot_review,
)
from domain.reputation.reading import (
    claim_due,
    end_read,
    hasten,
    note_figures,
    note_read,
    read_since,
)
from domain.reputation.reads import ReviewFigures, ReviewScope, figures
from domain.reputation.rules import (
    SCALES,
    RatingScale,
    ReadReview,
    ReviewSourceKind,
    ReviewState,
    ReviewVerification,
    line_of,
    text_of,
)
from domain.reputation.sources import (
    add_source,
    change_source,
    credentials_of,
    seal_credentials,
)

__all__ = [
    "SCALES",
    "RatingScale",
    "ReadReview",
    "Review",
    "ReviewFigures",
    "ReviewScope",
    "ReviewSource",
    "ReviewSourceKind",
    "ReviewState",
    "ReviewVerification",
    "ReviewVersion",
    "Taken",
    "add_source",
    "at_path",
    "change_source",
    "claim_due",
    "credentials_of",
    "end_full_read",
    "end_read",
    "feed_review",
    "figures",
    "google_review",
    "hasten",
    "instant_of",
    "kiyoh_review",
    "line_of",
    "note_figures",
    "note_read",
    "read_since",
    "seal_credentials",
    "take_in",
    "text_of",
    "trustpilot_review",
]
