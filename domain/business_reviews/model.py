"""Rows: business reviews as they were made; their content is ids and numbers, and never changes."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Versioned


class BusinessReviewKind(StrEnum):
    """Kind of a business review, which decides its eight parts and its period."""

    QUARTERLY = "quarterly"
    ANNUAL = "annual"
    BRIEFING = "briefing"


class BusinessReview(Base, Owned, Versioned):
    """A business review of a period as it was known when it was made. The client sees it once it is released.

    A later one of the same period has the next revision, and leaves the earlier ones as they are.
    """

    __tablename__ = "business_review"
    __table_args__ = (
        UniqueConstraint("account_id", "kind", "from_on", "revision"),
        CheckConstraint("from_on < until_on", name="ends_after_start"),
        CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="release_is_whole"),
        Index(None, "account_id", "made_at"),
    )

    kind: Mapped[BusinessReviewKind]
    from_on: Mapped[date]
    until_on: Mapped[date]  # exclusive
    revision: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime]  # what was recorded by then counts
    made_by: Mapped[str]
    content: Mapped[JSON]
    content_hash: Mapped[str]  # SHA-256 of the content as JSON with sorted keys
    template_hash: Mapped[str]  # SHA-256 of the templates and words that it was made with
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]
