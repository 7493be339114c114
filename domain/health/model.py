"""Rows: the health of accounts as computed last, snapshots of it, what people observed, and early warnings."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned
from domain.health.observed import ObservationKind
from domain.health.warning_input import WarningRule, WarningSeverity


class HealthBand(StrEnum):
    """Band of a score, by the names of the product."""

    CRITICAL = "critical"
    AT_RISK = "at_risk"
    STABLE = "stable"
    HEALTHY = "healthy"


class PlainBand(StrEnum):
    """Band of a score, by plain names for clients."""

    AT_RISK = "at_risk"
    FAIR = "fair"
    GOOD = "good"
    EXCELLENT = "excellent"


BANDS: tuple[HealthBand, ...] = (*HealthBand,)
PLAIN_BANDS: tuple[PlainBand, ...] = (*PlainBand,)
"""The bands by their index, from 1."""


class HealthStatus(StrEnum):
    """Whether there is a score, and how far it can be relied on."""

    SCORED = "scored"
    PROVISIONAL = "provisional"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


class SignalState(StrEnum):
    """How recent the facts behind the value of a signal are; in the order of the codes of the scoring."""

    MISSING = "missing"
    FRESH = "fresh"
    STALE = "stale"
    LAPSED = "lapsed"


class HealthTrend(StrEnum):
    """Direction of a score over 90 days, on the signals that were fresh throughout."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"
    UNKNOWN = "unknown"


class SnapshotPeriod(StrEnum):
    """Period that a snapshot begins."""

    WEEK = "week"
    MONTH = "month"


class _Figures:
    """Columns of a computed score, in millionths of a point or of a share."""

    as_of: Mapped[datetime]
    score_millionths: Mapped[int | None]  # null without enough evidence
    coverage_millionths: Mapped[int]
    low_millionths: Mapped[int]
    high_millionths: Mapped[int]
    fresh: Mapped[int]  # number of fresh signals
    is_provisional: Mapped[bool]
    content: Mapped[list[Any]] = mapped_column(JSONB)  # the signals, as plain values


class AccountHealth(_Figures, Base, Owned):
    """The health of an account as computed last, and the band that is confirmed."""

    __tablename__ = "account_health"
    __table_args__ = (
        UniqueConstraint("account_id"),
        Index(None, "tenant_id", "score_millionths"),
    )

    band: Mapped[int | None]  # the confirmed band
    candidate_band: Mapped[int | None]  # a band that waits for its confirmation
    candidate_at: Mapped[datetime | None]
    settled_millionths: Mapped[int | None]  # the score when it was last in the confirmed band
    is_shared: Mapped[bool] = mapped_column(default=False)  # the client may see it


class HealthMark(Base):
    """When the health of an account is computed next; facts bring it forward."""

    __tablename__ = "health_mark"
    __table_args__ = (Index(None, "due_at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), index=True)
    due_at: Mapped[datetime]


class HealthSnapshot(_Figures, Base, Owned):
    """The health of an account at the beginning of a week or month; it never changes."""

    __tablename__ = "health_snapshot"
    __table_args__ = (UniqueConstraint("account_id", "period", "begins_on"),)

    period: Mapped[SnapshotPeriod]
    begins_on: Mapped[date]
    band: Mapped[int | None]


class Observation(Base, Owned):
    """What a person observed about the relationship; one that was wrong is withdrawn, never changed."""

    __tablename__ = "observation"
    __table_args__ = (
        Index(None, "account_id", "at"),
        CheckConstraint("total IS NULL OR value <= total", name="value_within_total"),
    )

    kind: Mapped[ObservationKind]
    at: Mapped[datetime]
    value: Mapped[int | None]
    total: Mapped[int | None]
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    note: Mapped[str | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    withdrawn_at: Mapped[datetime | None]


class EarlyWarning(Base, Owned):
    """A sign that the relationship with a client is in danger, from when it was raised until it cleared."""

    __tablename__ = "early_warning"
    __table_args__ = (
        Index(
            "uq_early_warning_open",
            "account_id",
            "rule",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
        Index(None, "tenant_id", "raised_at"),
    )

    rule: Mapped[WarningRule]
    severity: Mapped[WarningSeverity]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    evidence: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
