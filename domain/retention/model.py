"""Rows: how relationships with clients ended or went on, and forecasts of leaving as they were published."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class OutcomeKind(StrEnum):
    """How the relationship with a client ended, or that it went on."""

    LEFT = "left"
    RENEWED = "renewed"
    ENDED_BY_COMPANY = "ended_by_company"
    MERGED = "merged"


class OutcomeReason(StrEnum):
    """Main reason of an outcome."""

    PRICE = "price"
    SERVICE = "service"
    COMPETITOR = "competitor"
    BUDGET = "budget"
    SITE_CLOSED = "site_closed"
    RELATIONSHIP = "relationship"
    OTHER = "other"
    UNKNOWN = "unknown"


class ChurnHorizon(StrEnum):
    """Time until which a client may leave."""

    DAYS_90 = "days_90"
    DAYS_180 = "days_180"
    RENEWAL = "renewal"


class ForecastBasis(StrEnum):
    """What an estimate rests on."""

    RULES = "rules"
    RULES_AND_OWN_HISTORY = "rules_and_own_history"


class ClientOutcome(Base, Owned):
    """A label of what happened with a client; a later label of the account replaces it."""

    __tablename__ = "client_outcome"
    __table_args__ = (Index(None, "account_id", "labelled_at"),)

    kind: Mapped[OutcomeKind]
    reason: Mapped[OutcomeReason]
    happened_on: Mapped[date]
    note: Mapped[str | None]
    labelled_at: Mapped[datetime]
    labelled_by: Mapped[str]
    replaced_at: Mapped[datetime | None]


class ChurnForecast(Base, Owned):
    """A forecast as it was published: an estimate or an abstention; later only its truth is added."""

    __tablename__ = "churn_forecast"
    __table_args__ = (
        UniqueConstraint("account_id", "horizon", "published_on"),
        CheckConstraint(
            "(probability_millionths IS NULL) = (low_millionths IS NULL)"
            " AND (low_millionths IS NULL) = (high_millionths IS NULL)",
            name="number_has_bounds",
        ),
        CheckConstraint("left_within IS NULL OR scored_at IS NOT NULL", name="truth_is_dated"),
        Index(
            "ix_churn_forecast_unscored",
            "tenant_id",
            "ends_on",
            postgresql_where=text("scored_at IS NULL"),
        ),
    )

    horizon: Mapped[ChurnHorizon]
    published_on: Mapped[date]
    published_at: Mapped[datetime]
    published_by: Mapped[str]
    ends_on: Mapped[date]
    probability_millionths: Mapped[int | None]  # null: it abstained
    low_millionths: Mapped[int | None]
    high_millionths: Mapped[int | None]
    score_millionths: Mapped[int | None]  # of health, at the time
    is_above: Mapped[bool]  # at or above the threshold of the warning
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)  # the answer, as plain values
    left_within: Mapped[bool | None]  # the truth; null: not known, or another end than leaving
    scored_at: Mapped[datetime | None]
