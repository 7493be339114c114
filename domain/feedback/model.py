"""Rows of feedback: the sentiment of each text, words of themes by company, and weights trained for a company."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Tenanted, Versioned
from domain.feedback.rules import FeedbackKind
from domain.sentiment import PolarityClass, SentimentMethod, Theme


class TextSentiment(Base, Tenanted, Versioned):
    """The sentiment and themes of one text, as a method read it, and as a person corrected it.

    Fractions are in millionths. Deciding words are erased with the text; what they decided stays and names nobody.
    """

    __tablename__ = "text_sentiment"
    __table_args__ = (
        UniqueConstraint("answer_id"),
        UniqueConstraint("review_id"),
        UniqueConstraint("update_id"),
        CheckConstraint("num_nonnulls(answer_id, review_id, update_id) = 1", name="of_one_text"),
        CheckConstraint("polarity BETWEEN -1000000 AND 1000000", name="polarity_in_millionths"),
        CheckConstraint("score BETWEEN 0 AND 1000000", name="score_in_millionths"),
        CheckConstraint(
            "(corrected_at IS NULL) = (corrected_by IS NULL)", name="correction_is_whole"
        ),
        Index(None, "account_id", "written_at"),
        Index(
            "ix_text_sentiment_negative",
            "account_id",
            "written_at",
            postgresql_where=text("label = 'negative'"),
        ),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[FeedbackKind]
    answer_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("survey_answer.id", ondelete="CASCADE")
    )
    review_id: Mapped[UUID | None] = mapped_column(ForeignKey("review.id"))
    update_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident_update.id"))
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    written_at: Mapped[datetime]
    read_at: Mapped[datetime]
    polarity: Mapped[int]
    confidence: Mapped[int]
    read_label: Mapped[PolarityClass]
    label: Mapped[PolarityClass]  # the one that counts: a person's, else as read
    method: Mapped[SentimentMethod]
    head: Mapped[str]  # version of the weights
    taxonomy: Mapped[str]  # version of the words of themes
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    themes: Mapped[list[str]] = mapped_column(ARRAY(Text))  # those that count
    theme_words: Mapped[JSON]  # the words that decided, by theme, as read
    suggested_theme: Mapped[Theme | None]
    score: Mapped[int | None]  # what the author answered or rated, as a share of the scale
    disagrees: Mapped[bool]
    corrected_at: Mapped[datetime | None]
    corrected_by: Mapped[str | None]


class ThemeTaxonomy(Base, Tenanted):
    """A version of a company's words of themes: what it adds to the taxonomy of the program, and leaves out."""

    __tablename__ = "theme_taxonomy"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    number: Mapped[int]
    effective_at: Mapped[datetime]
    made_at: Mapped[datetime]
    content: Mapped[JSON]  # words by theme: added, removed


class SentimentHead(Base, Tenanted):
    """Weights trained on a company's own scored texts, starting from those of the program; used when better."""

    __tablename__ = "sentiment_head"
    __table_args__ = (
        UniqueConstraint("tenant_id", "method", "number"),
        CheckConstraint("texts >= 50", name="at_least_50_texts"),
    )

    number: Mapped[int]
    method: Mapped[SentimentMethod]
    base: Mapped[str]  # version of the weights of the program
    head: Mapped[str]  # version of these weights
    texts: Mapped[int]  # own texts with a score
    trained_at: Mapped[datetime]
    error_before: Mapped[float] = mapped_column(Double)  # mean squared, by cross-validation
    error_after: Mapped[float] = mapped_column(Double)
    is_used: Mapped[bool]
    content: Mapped[bytes] = mapped_column(LargeBinary)


def changes_of(row: ThemeTaxonomy | None) -> dict[str, Any]:
    """Return the changes of a version; none without one."""
    return {} if row is None else row.content
