"""Facts about reports: made, delivered, and whether they were there in time."""

from datetime import date, datetime
from typing import Any, ClassVar

from domain.core.ledger import Fact
from domain.reports.model import Report


class ReportFact(Fact):
    """What every fact about a report tells."""

    cadence: str
    first_on: date
    due_at: datetime


class ReportMade(ReportFact):
    """A report was made and handed to those who get it."""

    kind: ClassVar[str] = "report.made"


class ReportDelivered(ReportFact):
    """It reached everybody who gets it; `at` is when the last mail server took it."""

    kind: ClassVar[str] = "report.delivered"


class ReportInTime(ReportFact):
    """It was there in time."""

    kind: ClassVar[str] = "report.kept"


class Late(ReportFact):
    """It was not there when it was promised; `at` is when it was due."""

    kind: ClassVar[str] = "report.late"


class PlanSet(Fact):
    """When a client gets reports changed, or what it gets for late ones; subject is the plan."""

    kind: ClassVar[str] = "report_plan.set"
    cadence: str
    before: dict[str, Any]
    after: dict[str, Any]


def about(kind: type[ReportFact], report: Report, at: datetime) -> ReportFact:
    """A fact of this kind about a report."""
    return kind(
        account_id=report.account_id,
        subject_id=report.id,
        at=at,
        cadence=report.cadence,
        first_on=report.first_on,
        due_at=report.due_at,
    )
