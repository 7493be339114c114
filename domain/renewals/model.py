"""Rows: renewals of agreements, from the first preparation to the outcome."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class RenewalOutcome(StrEnum):
    """How the renewal of an agreement came out."""

    RENEWED = "renewed"
    RENEWED_TACITLY = "renewed_tacitly"
    ENDED = "ended"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class RenewalReason(StrEnum):
    """Main reason for an outcome, as the client gave it."""

    VALUE = "value"
    SERVICE = "service"
    PRICE = "price"
    COMPETITOR = "competitor"
    BUDGET = "budget"
    CLOSURE = "closure"
    OTHER = "other"


class Renewal(Base, Owned, Versioned):
    """The renewal of an agreement at the end of its fixed duration. Its clock runs to the last day for notice."""

    __tablename__ = "renewal"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="outcome_has_time"),
        CheckConstraint(
            "outcome NOT IN ('renewed', 'ended') OR (reason IS NOT NULL AND decided_by IS NOT NULL)",
            name="decision_has_reason",
        ),
        CheckConstraint(
            "price_change_bps IS NULL OR outcome = 'renewed'", name="price_of_a_renewed_one"
        ),
        Index(
            "uq_renewal_one_open",
            "agreement_id",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
        ),
        Index(None, "account_id", "notice_by"),
        Index(
            "ix_renewal_look",
            "tenant_id",
            "look_at",
            postgresql_where=text("outcome IS NULL"),
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), index=True)
    fixed_until: Mapped[date]
    notice_by: Mapped[date]
    opened_at: Mapped[datetime]
    days_left: Mapped[int | None]  # 180, 90, 60 or 30, whichever was raised last
    notice_passed_at: Mapped[datetime | None]  # found: the last day for notice is over
    look_at: Mapped[datetime]  # when the next step is raised
    outcome: Mapped[RenewalOutcome | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[RenewalReason | None]
    note: Mapped[str | None]
    price_change_bps: Mapped[int | None]
