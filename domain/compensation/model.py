"""Rows: credits. One broken promise earns one credit, because the table says so."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.base import Base, Owned


class Credit(Base, Owned):
    """Money a client gets back for one broken promise, in integer cents."""

    __tablename__ = "credit"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
        CheckConstraint("amount_cents <= uncapped_cents", name="capped"),
        Index(None, "agreement_id", "month_on"),
    )

    promise_id: Mapped[UUID] = mapped_column(ForeignKey("promise.id"), unique=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    terms_id: Mapped[UUID] = mapped_column(ForeignKey("terms.id"))
    rule_id: Mapped[UUID] = mapped_column(ForeignKey("credit_rule.id"))
    amount_cents: Mapped[int]
    uncapped_cents: Mapped[int]  # what the rule says before the monthly cap
    currency: Mapped[str]
    month_on: Mapped[date]  # first day of the month it counts against, in the account's zone
    decided_at: Mapped[datetime]
