"""Facts about status reports. The text of a report stays in its row."""

from datetime import date
from typing import ClassVar

from domain.core.ledger import Fact


class StatusReportDrafted(Fact):
    """The status of a period was computed; `rules` keep it from green, `computed_before` is of an earlier draft."""

    kind: ClassVar[str] = "status_report.drafted"
    subject_type: ClassVar[str | None] = "StatusReport"
    from_on: date
    until_on: date
    computed: str
    computed_before: str | None
    rules: list[str]
    internal: bool = True


class StatusReportConfirmed(Fact):
    """A person confirmed a status: `computed` is the one from the data, `greener` says that it is better than that."""

    kind: ClassVar[str] = "status_report.confirmed"
    subject_type: ClassVar[str | None] = "StatusReport"
    from_on: date
    until_on: date
    computed: str
    confirmed: str
    greener: bool
