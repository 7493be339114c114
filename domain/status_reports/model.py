"""Rows: status reports, with the status that was computed and the one that a person confirmed."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Versioned


class StatusLight(StrEnum):
    """Overall status of the service for a client."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class StatusRule(StrEnum):
    """Rule by which a status is not green."""

    CRITICAL_PROMISE_BROKEN = "critical_promise_broken"
    MILESTONE_VERY_LATE = "milestone_very_late"
    COMPLIANCE_TOO_LOW = "compliance_too_low"
    HEALTH_CRITICAL = "health_critical"
    PROMISE_AT_RISK = "promise_at_risk"
    MILESTONE_LATE = "milestone_late"
    RISK_HIGH = "risk_high"
    HEALTH_AT_RISK = "health_at_risk"
    HEALTH_PROVISIONAL = "health_provisional"


class StatusReport(Base, Owned, Versioned):
    """The status of the service in a period. A draft can be made anew until a person confirms it.

    Commitments and entries of the RAID log are named by their ids, so that an erased text is gone here too.
    """

    __tablename__ = "status_report"
    __table_args__ = (
        UniqueConstraint("account_id", "from_on", "until_on"),
        CheckConstraint("until_on > from_on", name="ends_after_start"),
        CheckConstraint(
            "num_nonnulls(confirmed_at, confirmed_by, confirmed, is_greener) IN (0, 4)",
            name="confirmation_is_whole",
        ),
        CheckConstraint("is_greener IS NOT TRUE OR reason IS NOT NULL", name="greener_has_reason"),
        Index(None, "tenant_id", "confirmed_at"),
    )

    from_on: Mapped[date]
    until_on: Mapped[date]  # exclusive
    drafted_at: Mapped[datetime]
    computed: Mapped[StatusLight]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)  # rule, type and id of what it is about
    summary: Mapped[str]
    figures: Mapped[JSON]
    done_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))  # commitments
    due_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))  # commitments
    raid_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meeting.id"))  # with open questions
    confirmed: Mapped[StatusLight | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    is_greener: Mapped[bool | None]
    reason: Mapped[str | None]
