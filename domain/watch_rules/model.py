"""Rows: incidents that the system opened by a rule, each event once."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned


class WatchRule(StrEnum):
    """Rule by which the system opens an incident."""

    NO_SHOW = "no_show"
    MISSED_POINTS = "missed_points"
    SILENCE = "silence"
    EXPIRING_QUALIFICATION = "expiring_qualification"


class SystemOpening(Base, Owned):
    """An event for which the system opened an incident; the database refuses a second one for the same event."""

    __tablename__ = "system_opening"
    __table_args__ = (UniqueConstraint("rule", "subject_id"),)

    rule: Mapped[WatchRule]
    subject_id: Mapped[UUID]  # the shift, round or presence
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), unique=True)
    opened_at: Mapped[datetime]
    reason: Mapped[str]
