"""Business reviews: a quarter, a year or a briefing in eight parts, as known when made, and later the same bytes."""

from domain.business_reviews.actions import make_review, release
from domain.business_reviews.model import BusinessReview, BusinessReviewKind
from domain.business_reviews.reads import review_of, stored_content
from domain.business_reviews.rendering import (
    TEMPLATE_HASH,
    filename,
    html_of,
    part_titles,
    pdf_of,
    summary_of,
)

__all__ = [
    "TEMPLATE_HASH",
    "BusinessReview",
    "BusinessReviewKind",
    "filename",
    "html_of",
    "make_review",
    "part_titles",
    "pdf_of",
    "release",
    "review_of",
    "stored_content",
    "summary_of",
]
