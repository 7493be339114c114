"""Rows: recovery cases and their five steps, each dated and owned."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class Size(StrEnum):
    """Size of a failure, which decides the remedies and due times."""

    SMALL = "small"
    MEDIUM = "medium"
    MAJOR = "major"


class Remedy(StrEnum):
    """Remedy that can be offered to a client."""

    EXTENDED_SERVICE = "extended_service"
    TRAINING_SESSION = "training_session"
    SERVICE_CREDIT = "service_credit"
    PRIORITY_SUPPORT = "priority_support"
    EXECUTIVE_APOLOGY = "executive_apology"
    RECOVERY_PLAN = "recovery_plan"


class StepKind(StrEnum):
    """Kind of step in a recovery case, in order."""

    APOLOGIZE = "apologize"
    LISTEN = "listen"
    RESOLVE = "resolve"
    COMPENSATE = "compensate"
    FOLLOW_UP = "follow_up"


class CaseState(StrEnum):
    """State of a recovery case: open or closed."""

    OPEN = "open"
    CLOSED = "closed"


class RecoveryCase(Base, Owned, Versioned):
    """Recovery case for a client; a round has five steps; the last round ends with a satisfied client."""

    __tablename__ = "recovery_case"
    __table_args__ = (
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_instant"),
        CheckConstraint("round > 0", name="round_positive"),
        Index(
            "uq_recovery_case_one_open",
            "incident_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("response_id"),
    )

    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"), index=True)
    response_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("survey_response.id")
    )  # the low answer of a survey that it follows up
    size: Mapped[Size]
    summary: Mapped[str]
    state: Mapped[CaseState] = mapped_column(default=CaseState.OPEN)
    round: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    satisfied: Mapped[bool | None]  # what the last follow-up check found


class RecoveryStep(Base, Owned):
    """One step of one round: the owner, the due date, and what was done."""

    __tablename__ = "recovery_step"
    __table_args__ = (
        UniqueConstraint("case_id", "round", "kind"),
        CheckConstraint(
            "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (note IS NULL)",
            name="done_is_whole",
        ),
        CheckConstraint(
            "kind = 'compensate' OR (cardinality(remedies) = 0 AND credit_id IS NULL)",
            name="remedies_fit",
        ),
        Index(
            "ix_recovery_step_due", "tenant_id", "due_at", postgresql_where=text("done_at IS NULL")
        ),
    )

    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_case.id"))
    round: Mapped[int]
    kind: Mapped[StepKind]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    note: Mapped[str | None]
    remedies: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    credit_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit.id"))
