"""Rows: planned contacts with clients beyond the daily work, and when they were made."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class TouchpointKind(StrEnum):
    """Kind of planned contact with a client."""

    FORMAL_REVIEW = "formal_review"
    CHECK_IN = "check_in"
    SOCIAL = "social"


class Activity(StrEnum):
    """Activity of an account, by the recency of work and contact."""

    ACTIVE_PROJECT = "active_project"
    LONG_TERM = "long_term"
    INACTIVE = "inactive"


class Touchpoint(Base, Owned):
    """A contact that is due; of each kind one is open at a time, and the next follows from when it was made."""

    __tablename__ = "touchpoint"
    __table_args__ = (
        Index(
            "uq_touchpoint_one_open",
            "account_id",
            "kind",
            unique=True,
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_touchpoint_open",
            "tenant_id",
            "due_on",
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    kind: Mapped[TouchpointKind]
    anchor_on: Mapped[date]  # the contact before it, or the first day: start of the interval
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
