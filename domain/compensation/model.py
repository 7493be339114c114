"""Rows: credits, closed months, disputes and approval policies. Constraints allow one credit per cause."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Tenanted, Versioned
from domain.core.short_numbers import Number
from domain.promises.model import INCIDENT_ID


class CreditKind(StrEnum):
    """Event that a credit compensates."""

    PROMISE = "promise"
    PERIOD = "period"
    GOODWILL = "goodwill"


class CreditState(StrEnum):
    """State of the decision about a credit."""

    AWAITING = "awaiting"
    GRANTED = "granted"
    DECLINED = "declined"


class Credit(Base, Owned):
    """Credit for a client in integer cents, as it was first decided.

    The row is never corrected: later facts, overrides and disputes adjust it by journal entries, and its net amount is
    their sum. It is for a broken promise, a month's compliance with one promise, or goodwill.
    """

    __tablename__ = "credit"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount_not_negative"),
        CheckConstraint("amount_cents <= uncapped_cents", name="capped"),
        CheckConstraint(
            "(kind = 'promise') = (promise_id IS NOT NULL AND unit_id IS NOT NULL)"
            " AND (kind = 'period') = (term_id IS NOT NULL)"
            " AND (kind = 'goodwill') = (terms_id IS NULL)",
            name="fits_kind",
        ),
        CheckConstraint("(unit_id IS NULL) = (unit_kind IS NULL)", name="unit_is_whole"),
        CheckConstraint(
            "(decision_reason IS NULL) = (decision_by IS NULL)", name="decision_is_whole"
        ),
        CheckConstraint("override_cents >= 0", name="override_not_negative"),
        UniqueConstraint("term_id", "month_on"),
        UniqueConstraint("agreement_id", "turn"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "agreement_id", "month_on"),
    )

    number: Mapped[Number]
    kind: Mapped[CreditKind] = mapped_column(default=CreditKind.PROMISE)
    state: Mapped[CreditState] = mapped_column(default=CreditState.GRANTED)
    promise_id: Mapped[UUID | None] = mapped_column(ForeignKey("promise.id"), unique=True)
    unit_kind: Mapped[str | None]
    unit_id: Mapped[UUID | None] = mapped_column(index=True)
    incident_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("incident.id"), Computed(INCIDENT_ID, persisted=True)
    )
    term_id: Mapped[UUID | None] = mapped_column(ForeignKey("promise_term.id"))
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    terms_id: Mapped[UUID | None] = mapped_column(ForeignKey("terms.id"))
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_rule.id"))
    turn: Mapped[
        int
    ]  # position of this credit among the agreement's credits (1, 2, …): caps are filled in this order
    amount_cents: Mapped[int]
    uncapped_cents: Mapped[int]  # amount of the rule, before other credits and the monthly cap
    units_milli: Mapped[int | None]  # free service: thousandths of the rate's unit
    currency: Mapped[str]
    month_on: Mapped[date]  # first day of the month whose cap it uses, in the account's zone
    decided_at: Mapped[datetime]
    override_cents: Mapped[int | None]  # amount that a person decided instead of the schedule
    proposed_by: Mapped[str | None]  # who proposed it, when it is goodwill
    decision_by: Mapped[str | None]
    decision_reason: Mapped[str | None]


class ClosedMonth(Base, Owned):
    """A past month of an agreement whose compliance was evaluated; the key allows one row per month."""

    __tablename__ = "closed_month"
    __table_args__ = (UniqueConstraint("agreement_id", "month_on"),)

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    month_on: Mapped[date]
    closed_at: Mapped[datetime]
    billed_at: Mapped[datetime | None]  # when it was considered for an invoice


class CompensationPolicy(Base, Tenanted, Versioned):
    """Approval threshold for credits and their taxation; without a row no approval is needed."""

    __tablename__ = "compensation_policy"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("approval_above_cents >= 0", name="approval_above_not_negative"),
        CheckConstraint("vat_rate_bps BETWEEN 0 AND 10000", name="vat_rate_bps"),
    )

    approval_above_cents: Mapped[int | None]
    approval_currency: Mapped[str] = mapped_column(default="EUR", server_default="EUR")
    vat_category: Mapped[str] = mapped_column(default="S")  # of credits on credit notes: UNCL5305
    vat_rate_bps: Mapped[int] = mapped_column(default=2_100)


class DisputeState(StrEnum):
    """State of a dispute: open, or its result."""

    OPEN = "open"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Dispute(Base, Owned):
    """A client contests a verdict. It is evaluated anew from the ledger; only new facts change it."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="end_has_instant"),
        Index(
            "uq_dispute_one_open",
            "promise_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
    )

    promise_id: Mapped[UUID] = mapped_column(ForeignKey("promise.id"), index=True)
    reason: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    verdict_was: Mapped[str]
    verdict_was_at: Mapped[datetime]
    facts_was: Mapped[int]  # facts of the incident when the dispute was opened
    state: Mapped[DisputeState] = mapped_column(default=DisputeState.OPEN)
    verdict_now: Mapped[str | None]
    verdict_now_at: Mapped[datetime | None]
    facts_now: Mapped[int | None]
    outcome: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
