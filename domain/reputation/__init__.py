"""Reputation: public reviews of the company as they stand at their sources, with every version, and replies."""

from domain.reputation.intake import Taken, end_full_read, take_in
from domain.reputation.links import confirm_link, link_review, match_review, refuse_link
from domain.reputation.matching import PastIncident, ReviewMatch, alike, jaro_winkler, match
from domain.reputation.model import Review, ReviewLink, ReviewSource, ReviewVersion
from domain.reputation.payloads import (
    at_path,
    feed_review,
    google_review,
    instant_of,
    kiyoh_review,
    trustpilot_review,
)
from domain.reputation.reading import (
    DUE,
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
    ReviewLinkState,
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
    "DUE",
    "SCALES",
    "PastIncident",
    "RatingScale",
    "ReadReview",
    "Review",
    "ReviewFigures",
    "ReviewLink",
    "ReviewLinkState",
    "ReviewMatch",
    "ReviewScope",
    "ReviewSource",
    "ReviewSourceKind",
    "ReviewState",
    "ReviewVerification",
    "ReviewVersion",
    "Taken",
    "add_source",
    "alike",
    "at_path",
    "change_source",
    "claim_due",
    "confirm_link",
    "credentials_of",
    "end_full_read",
    "end_read",
    "feed_review",
    "figures",
    "google_review",
    "hasten",
    "instant_of",
    "jaro_winkler",
    "kiyoh_review",
    "line_of",
    "link_review",
    "match",
    "match_review",
    "note_figures",
    "note_read",
    "read_since",
    "refuse_link",
    "seal_credentials",
    "take_in",
    "text_of",
    "trustpilot_review",
]
