"""Rows: competitors, and the figures of their public pages as somebody read them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted, Versioned
from domain.reputation import ReviewSourceKind


class Competitor(Base, Tenanted, Versioned):
    """Another company that clients may choose."""

    __tablename__ = "competitor"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    note: Mapped[str | None]  # what makes it different, with its evidence
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # no longer watched


class CompetitorFigure(Base, Tenanted):
    """Number and mean rating of the reviews on a public page of a competitor, on the day on which they were read."""

    __tablename__ = "competitor_figure"
    __table_args__ = (
        UniqueConstraint("competitor_id", "platform", "read_on"),
        CheckConstraint("share BETWEEN 0 AND 1", name="share_0_to_1"),
        CheckConstraint("reviews >= 0", name="reviews_not_negative"),
    )

    competitor_id: Mapped[UUID] = mapped_column(ForeignKey("competitor.id"))
    platform: Mapped[ReviewSourceKind]
    read_on: Mapped[date]
    reviews: Mapped[int]
    share: Mapped[float | None] = mapped_column(Double)  # mean rating as a share of the scale
    url: Mapped[str]  # where it was read
    entered_at: Mapped[datetime]
    entered_by: Mapped[str]
