"""Reputation: public reviews of the company as they stand at their sources, with every version, and replies."""

from domain.reputation.falls import WATCH, companies_to_watch, compare_ratings
from domain.reputation.files import (
    ReviewFile,
    ReviewFileProfile,
    review_file_profile,
    review_rows,
)
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
    reply_refusal,
    trustpilot_review,
)
from domain.reputation.privacy import (
    PART,
    companies_with_gone_reviews,
    forget_contact,
    forget_gone,
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
    NEGATIVE,
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
    "NEGATIVE",
    "PART",
    "SCALES",
    "WATCH",
    "PastIncident",
    "RatingScale",
    "ReadReview",
    "Review",
    "ReviewFigures",
    "ReviewFile",
    "ReviewFileProfile",
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
    "companies_to_watch",
    "companies_with_gone_reviews",
    "compare_ratings",
    "confirm_link",
    "credentials_of",
    "end_full_read",
    "end_read",
    "feed_review",
    "figures",
    "forget_contact",
    "forget_gone",
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
    "reply_refusal",
    "review_file_profile",
    "review_rows",
    "seal_credentials",
    "take_in",
    "text_of",
    "trustpilot_review",
]
