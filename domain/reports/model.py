"""Rows: report plans and the reports that were made; one report per cadence and period."""

from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import JSON, Base, Owned, Versioned
from domain.core.short_numbers import Number
from domain.reports.periods import Cadence


class ReportVerdict(StrEnum):
    """Verdict on the delivery of a report in time."""

    KEPT = "kept"
    LATE = "late"


class ReportPlan(Base, Owned, Versioned):
    """Plan of a client's report: its schedule on the client's clock, and the next report.

    Its row is locked while a report is made, so that two workers never make the same one.
    """

    __tablename__ = "report_plan"
    __table_args__ = (
        UniqueConstraint("account_id", "cadence"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("late_credit_cents > 0", name="late_credit_positive"),
        Index("ix_report_plan_due", "look_at", postgresql_where=text("enabled")),
    )

    cadence: Mapped[Cadence]
    enabled: Mapped[bool] = mapped_column(default=True)
    local_time: Mapped[time]  # of the next report, by the parameters when it was planned
    weekday: Mapped[int] = mapped_column(default=0)  # of weekly ones; Monday 0
    late_credit_cents: Mapped[int | None]  # set before the terms gave this credit; no longer used
    next_on: Mapped[date]  # first local day of the next report
    look_at: Mapped[datetime]  # when it is made, or tried again


class Report(Base, Owned):
    """A report as it was made: its content is ids and numbers and never changes; texts are added when it is read."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("account_id", "cadence", "first_on"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("until_at >= from_at", name="until_after_from"),
        Index(None, "account_id", "due_at"),
        Index("ix_report_unjudged", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )

    number: Mapped[Number]
    cadence: Mapped[Cadence]
    first_on: Mapped[date]
    last_on: Mapped[date]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    due_at: Mapped[datetime]
    made_at: Mapped[datetime]
    content: Mapped[JSON]
    delivered_at: Mapped[datetime | None]
    verdict: Mapped[ReportVerdict | None]  # of the promise about its delivery
    judged_at: Mapped[
        datetime | None
    ]  # the time of the verdict: of delivery, or when it became late
    look_at: Mapped[datetime | None]  # next check of its delivery; null: nothing more to check
