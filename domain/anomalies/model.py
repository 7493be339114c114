"""Rows: anomalies in the daily series of an account, and up to which day its series were scanned."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.agreements.model import TicketKind
from domain.core.base import Base, Owned, Versioned
from domain.detection import Detector, Direction
from domain.sentiment import Theme


class AnomalySeries(StrEnum):
    """Daily series of an account that is watched."""

    INCIDENTS = "incidents"
    RESPONSE_TIME = "response_time"
    NEGATIVE_TEXTS = "negative_texts"


class AnomalyState(StrEnum):
    """What people said about an anomaly."""

    OPEN = "open"
    EXPLAINED = "explained"
    FALSE_ALARM = "false_alarm"


class Anomaly(Base, Owned, Versioned):
    """An unusual period of one daily series; it grows while it lasts, and people say what explains it.

    `value`, `base`, `scale` and `z` are those of its most unusual day: incidents, texts, or seconds of response time.
    """

    __tablename__ = "anomaly"
    __table_args__ = (
        UniqueConstraint(
            *("account_id", "series", "site_id", "incident_kind", "theme", "detector", "direction"),
            "found_on",
            name="uq_anomaly_found",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("first_on <= last_on", name="first_before_last"),
        CheckConstraint(
            "(state = 'open') = (acknowledged_at IS NULL)", name="acknowledged_has_instant"
        ),
        Index(None, "account_id", "found_on"),
    )

    series: Mapped[AnomalySeries]
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    incident_kind: Mapped[TicketKind | None]
    theme: Mapped[Theme | None]  # of texts; None: of any theme, or none
    detector: Mapped[Detector]
    direction: Mapped[Direction]
    found_on: Mapped[date]  # the first day on which it could be known
    first_on: Mapped[date]  # for a shift of level: the estimated day of change
    last_on: Mapped[date]
    peak_on: Mapped[date]
    value: Mapped[float]
    base: Mapped[float]
    scale: Mapped[float]
    z: Mapped[float]
    probability: Mapped[float | None]  # of so many events by chance, for rare events
    evidence_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))  # incidents or texts of its days
    raised_at: Mapped[datetime]
    state: Mapped[AnomalyState] = mapped_column(default=AnomalyState.OPEN)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    explanation: Mapped[str | None]
    incident_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("incident.id"), index=True
    )  # the incident that explains it


class AnomalyScan(Base, Owned):
    """The last day of an account whose series were scanned."""

    __tablename__ = "anomaly_scan"
    __table_args__ = (UniqueConstraint("account_id"),)

    scanned_on: Mapped[date]
