"""Facts about reports: made, delivered, and punctual or late."""

from datetime import date, datetime
from typing import Any, ClassVar

from domain.core.ledger import Fact
from domain.reports.model import Report


class ReportFact(Fact):
    """Fields of every fact about a report."""

    subject_type: ClassVar[str | None] = "Report"
    cadence: str
    first_on: date
    due_at: datetime


class ReportMade(ReportFact):
    """A report was made and sent to its recipients."""

    kind: ClassVar[str] = "report.made"


class ReportDelivered(ReportFact):
    """A report reached every recipient; `at` is when the last mail server accepted it."""

    kind: ClassVar[str] = "report.delivered"


class ReportInTime(ReportFact):
    """A report was delivered in time."""

    kind: ClassVar[str] = "report.kept"


class Late(ReportFact):
    """A report was late; `at` is when it was due."""

    kind: ClassVar[str] = "report.late"


class PlanSet(Fact):
    """The schedule of a client's reports, or the credit for late ones, changed; the subject is the plan."""

    kind: ClassVar[str] = "report_plan.set"
    subject_type: ClassVar[str | None] = "ReportPlan"
    cadence: str
    before: dict[str, Any]
    after: dict[str, Any]


def about(kind: type[ReportFact], report: Report, at: datetime) -> ReportFact:
    """Create a fact of this kind about a report."""
    return kind(
        account_id=report.account_id,
        subject_id=report.id,
        at=at,
        cadence=report.cadence,
        first_on=report.first_on,
        due_at=report.due_at,
    )
