"""Rows: rules for replies to reviews, and the reply to each review with its state."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted, Versioned


class ReplyMode(StrEnum):
    """What a rule does with the reviews that it matches."""

    DRAFT = "draft"
    SEND = "send"
    NONE = "none"


class ReplyState(StrEnum):
    """State of a reply to a review."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ReplyRule(Base, Tenanted, Versioned):
    """Rule for replies: which reviews it is for, and the texts that it chooses from. The first that matches applies."""

    __tablename__ = "reply_rule"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("share_low BETWEEN 0 AND 1", name="share_low_0_to_1"),
        CheckConstraint("share_high BETWEEN 0 AND 1", name="share_high_0_to_1"),
        CheckConstraint("share_low <= share_high", name="share_low_to_high"),
        CheckConstraint("delay_s BETWEEN 0 AND 604800", name="delay_week_at_most"),
        Index(None, "tenant_id", "position"),
    )

    name: Mapped[str]
    position: Mapped[int]  # the lowest number is tried first
    is_active: Mapped[bool] = mapped_column(default=True)
    mode: Mapped[ReplyMode]
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("review_source.id"))
    share_low: Mapped[float | None] = mapped_column(Double)
    share_high: Mapped[float | None] = mapped_column(Double)
    polarity_low: Mapped[float | None] = mapped_column(Double)
    polarity_high: Mapped[float | None] = mapped_column(Double)
    has_words: Mapped[bool | None]
    languages: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )  # empty: any
    themes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )  # empty: any
    delay_s: Mapped[int] = mapped_column(default=0)
    templates: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    created_at: Mapped[datetime]


class ReviewReply(Base, Tenanted, Versioned):
    """The reply to one review: its text, who approved it, and what the source did with it."""

    __tablename__ = "review_reply"
    __table_args__ = (
        UniqueConstraint("review_id"),
        # A negative review is answered by a person only, whatever the code does.
        CheckConstraint(
            "NOT is_negative OR state NOT IN ('approved', 'sent', 'published')"
            " OR approver_id IS NOT NULL",
            name="negative_has_approver",
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'sent', 'published') OR words IS NOT NULL",
            name="sent_has_words",
        ),
        CheckConstraint("state <> 'rejected' OR reason IS NOT NULL", name="rejected_has_reason"),
        CheckConstraint("(approver_id IS NULL) = (approved_at IS NULL)", name="approval_is_whole"),
        Index(None, "source_id", "drafted_at"),
        Index(
            "ix_review_reply_due",
            "tenant_id",
            "next_try_at",
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        Index(
            "ix_review_reply_open",
            "tenant_id",
            "due_at",
            postgresql_where=text("late_at IS NULL AND answered_at IS NULL"),
        ),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("review.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("review_source.id"))
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("reply_rule.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    state: Mapped[ReplyState]
    is_negative: Mapped[bool]
    words: Mapped[str | None]
    posted_words: Mapped[str | None]  # what the source has, as far as it was sent
    drafted_at: Mapped[datetime]
    due_at: Mapped[datetime]  # late from the instant after it on
    late_at: Mapped[datetime | None]  # found: not sent by then
    answered_at: Mapped[datetime | None]  # sent for the first time, or no longer needed
    approver_id: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id"))
    approved_at: Mapped[datetime | None]
    send_at: Mapped[datetime | None]  # not before
    next_try_at: Mapped[datetime | None]  # None: nothing is to be sent
    tried_at: Mapped[datetime | None]  # a request for this text may have reached the source
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # of the rejection, or of the withdrawal
    recheck_at: Mapped[datetime | None]  # the review was edited after the reply was sent
