"""Rows: success plans, their goals, measured values with evidence, and comments of both sides."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned
from domain.kpis import KpiKey
from domain.quality import Window


class SuccessPlan(Base, Owned, Versioned):
    """What a client wants to reach with the service in a period. The client sees it once it is shared."""

    __tablename__ = "success_plan"
    __table_args__ = (
        CheckConstraint("starts_on < due_on", name="due_after_start"),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closing_has_outcome"),
        Index(None, "account_id", "opened_at"),
    )

    title: Mapped[str]
    words: Mapped[str]  # what the client wants to reach
    dependencies: Mapped[str | None]
    resources: Mapped[str | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    starts_on: Mapped[date]
    due_on: Mapped[date]
    opened_at: Mapped[datetime]
    shared_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class SuccessGoal(Base, Owned, Versioned):
    """A goal of a success plan, from a baseline to a target, measured by a KPI or by values that people enter.

    Values are in thousandths of the unit: the unit of the KPI, or the one named here.
    """

    __tablename__ = "success_goal"
    __table_args__ = (
        CheckConstraint("baseline_milli <> target_milli", name="target_is_elsewhere"),
        CheckConstraint("(kpi IS NULL) = (kpi_window IS NULL)", name="kpi_has_window"),
        CheckConstraint("(kpi IS NULL) = (unit IS NOT NULL)", name="unit_without_kpi"),
        CheckConstraint("(value_milli IS NULL) = (measured_on IS NULL)", name="value_has_day"),
    )

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("success_plan.id"), index=True)
    title: Mapped[str]
    criterion_words: Mapped[str]
    kpi: Mapped[KpiKey | None]
    kpi_window: Mapped[Window | None]
    unit: Mapped[str | None]
    baseline_milli: Mapped[int]
    target_milli: Mapped[int]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id"))
    due_on: Mapped[date]
    value_cents: Mapped[int | None]  # what the whole goal is worth to the client
    set_at: Mapped[datetime]
    value_milli: Mapped[int | None]  # measured last; of a KPI as it was when the plan was closed
    measured_on: Mapped[date | None]


class SuccessReading(Base, Owned):
    """A value of a goal on a day, with the evidence for it."""

    __tablename__ = "success_reading"
    __table_args__ = (Index(None, "goal_id", "measured_on"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("success_plan.id"), index=True)
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("success_goal.id"))
    value_milli: Mapped[int]
    measured_on: Mapped[date]
    evidence_words: Mapped[str]
    author: Mapped[str]
    at: Mapped[datetime]


class SuccessComment(Base, Owned):
    """A comment on a success plan by the client or by the company; both sides read it."""

    __tablename__ = "success_comment"
    __table_args__ = (Index(None, "plan_id", "at"),)

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("success_plan.id"))
    words: Mapped[str]
    author: Mapped[str]
    from_client: Mapped[bool]
    at: Mapped[datetime]
