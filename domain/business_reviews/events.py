"""Facts about business reviews."""

from datetime import date
from typing import ClassVar

from domain.core.ledger import Fact


class BusinessReviewMade(Fact):
    """A business review of a period was made; the hashes are of its content and of the templates that show it."""

    kind: ClassVar[str] = "business_review.made"
    subject_type: ClassVar[str | None] = "BusinessReview"
    review_kind: str
    from_on: date
    until_on: date
    revision: int
    content_hash: str
    template_hash: str
    internal: bool = True


class BusinessReviewReleased(Fact):
    """A person released a business review to the client, who sees it from now on."""

    kind: ClassVar[str] = "business_review.released"
    subject_type: ClassVar[str | None] = "BusinessReview"
    review_kind: str
    from_on: date
    until_on: date
    revision: int
