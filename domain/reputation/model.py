"""Rows of reviews: where they are read, each review as it stands, and each version of it as it was read."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Tenanted, Versioned
from domain.reputation.rules import (
    ReviewLinkState,
    ReviewSourceKind,
    ReviewState,
    ReviewVerification,
)


class ReviewSource(Base, Tenanted, Versioned):
    """A page of the company at a platform, a feed, or a file: one location each."""

    __tablename__ = "review_source"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("scale_low < scale_high", name="scale_has_steps"),
        CheckConstraint("interval_s BETWEEN 60 AND 604800", name="interval_minute_to_week"),
        Index("ix_review_source_due", "tenant_id", "next_read_at"),
    )

    kind: Mapped[ReviewSourceKind]
    name: Mapped[str]
    location: Mapped[str]  # id of the location at the platform, or the name of the place
    url: Mapped[str | None]  # None: the platform's own address
    settings: Mapped[JSON]  # names of fields of a feed; never secrets
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted credentials
    scale_low: Mapped[float] = mapped_column(Double)
    scale_high: Mapped[float] = mapped_column(Double)
    interval_s: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    next_read_at: Mapped[datetime | None]  # None: it is not read over the network
    read_at: Mapped[datetime | None]  # start of the last complete read
    full_read_at: Mapped[datetime | None]  # start of the last complete read of everything
    changed_until: Mapped[datetime | None]  # latest change that was read
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    unreadable: Mapped[int] = mapped_column(default=0)  # entries that the last read left out
    shown_rating: Mapped[float | None] = mapped_column(Double)  # the platform's own figures
    shown_count: Mapped[int | None]
    compared_on: Mapped[date | None]  # day of the last comparison with the year before
    fell_on: Mapped[date | None]  # since when its ratings are lower than those of the year before


class Review(Base, Tenanted, Versioned):
    """A public review as it stands at its source, and the client it was linked to, if any."""

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("source_id", "external_id"),
        CheckConstraint("share BETWEEN 0 AND 1", name="share_0_to_1"),
        CheckConstraint("(state = 'gone') = (gone_at IS NOT NULL)", name="gone_has_instant"),
        Index(None, "tenant_id", "written_at"),
        Index(
            "ix_review_unread",
            "tenant_id",
            "id",
            postgresql_where=text("words_unread AND num_nonnulls(title, words) > 0"),
        ),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("review_source.id"))
    external_id: Mapped[str]
    state: Mapped[ReviewState]
    rating: Mapped[float] = mapped_column(Double)
    scale_low: Mapped[float] = mapped_column(Double)
    scale_high: Mapped[float] = mapped_column(Double)
    share: Mapped[float] = mapped_column(Double)
    stated_rating: Mapped[float | None] = mapped_column(Double)
    author: Mapped[str | None]
    place: Mapped[str | None]
    title: Mapped[str | None]
    words: Mapped[str | None]
    language: Mapped[str | None]
    recommends: Mapped[bool | None]
    verification: Mapped[ReviewVerification]
    verified_by: Mapped[str | None]
    reference: Mapped[str | None]  # code of an invitation, as the source repeats it
    url: Mapped[str | None]
    reply_words: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    written_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    received_at: Mapped[datetime]
    seen_at: Mapped[datetime]  # start of the last read that contained it
    misses: Mapped[int] = mapped_column(default=0)  # full reads without it, in a row
    gone_at: Mapped[datetime | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    version_count: Mapped[int] = mapped_column(default=1)
    was_edited: Mapped[bool] = mapped_column(default=False)
    words_unread: Mapped[bool] = mapped_column(default=True)  # no sentiment of them yet

    @property
    def is_disputed(self) -> bool:
        """Whether the source states two ratings that differ."""
        return self.stated_rating is not None and self.stated_rating != self.rating


class ReviewVersion(Base, Tenanted):
    """A review as it was read once; never changed afterwards, except for the client that the review is linked to."""

    __tablename__ = "review_version"
    __table_args__ = (UniqueConstraint("review_id", "number"), Index(None, "review_id", "digest"))

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    number: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    read_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    rating: Mapped[float] = mapped_column(Double)
    stated_rating: Mapped[float | None] = mapped_column(Double)
    author: Mapped[str | None]
    title: Mapped[str | None]
    words: Mapped[str | None]
    language: Mapped[str | None]
    verification: Mapped[ReviewVerification]
    reply_words: Mapped[str | None]
    replied_at: Mapped[datetime | None]
    raw: Mapped[JSON]


class ReviewLink(Base, Owned):
    """How well a review fits a client, and what was decided about it."""

    __tablename__ = "review_link"
    __table_args__ = (
        UniqueConstraint("review_id", "account_id"),
        CheckConstraint("score BETWEEN 0 AND 1000", name="score_in_thousandths"),
    )

    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("recovery_case.id"))
    state: Mapped[ReviewLinkState]
    score: Mapped[int]
    parts: Mapped[JSON]  # points of each part of the score
    decided_by: Mapped[str | None]
