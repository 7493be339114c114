"""Definitions of KPIs: how one is measured, its unit, its targets as the company was promised them, and its source."""

from dataclasses import dataclass
from enum import StrEnum

from domain.access import Right


class KpiKey(StrEnum):
    """Key of a KPI in the catalogue."""

    PROMISES_KEPT = "promises_kept"
    RESPONSE_TIME = "response_time"
    INQUIRY_RESPONSE_TIME = "inquiry_response_time"
    RESOLUTION_TIME = "resolution_time"
    FIRST_CONTACT_RESOLUTION = "first_contact_resolution"
    REOPENED = "reopened"
    INCIDENTS = "incidents"
    COMPLAINTS = "complaints"
    INQUIRIES = "inquiries"
    SERVICE_REQUESTS = "service_requests"
    ALARMS = "alarms"
    MAINTENANCE_REQUESTS = "maintenance_requests"
    ENHANCEMENT_REQUESTS = "enhancement_requests"
    CSAT = "csat"
    NPS = "nps"
    CES = "ces"
    SURVEY_RESPONSE_RATE = "survey_response_rate"
    COVERAGE = "coverage"
    PUNCTUALITY = "punctuality"
    PROACTIVE_NOTICES = "proactive_notices"
    COMMITMENTS_KEPT = "commitments_kept"
    STATUS_GREENER = "status_greener"
    CONTESTED_VERDICTS = "contested_verdicts"
    CHANGED_VERDICTS = "changed_verdicts"
    CREDITS_SHARE = "credits_share"
    BILLING_ACCURACY = "billing_accuracy"
    ON_TIME_PAYMENT = "on_time_payment"


class KpiMeasure(StrEnum):
    """Way in which the facts of a KPI become its value."""

    SHARE = "share"
    RATIO = "ratio"
    DURATION = "duration"
    NET_SHARE = "net_share"
    MEAN = "mean"
    COUNT = "count"


class KpiUnit(StrEnum):
    """Unit of a KPI's value."""

    PERCENT = "percent"
    POINTS = "points"
    SECONDS = "seconds"
    COUNT = "count"


class KpiComparator(StrEnum):
    """Relation of a value to a target that reaches it."""

    AT_LEAST = "at_least"
    ABOVE = "above"
    AT_MOST = "at_most"
    BELOW = "below"

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is a better one."""
        return self in {KpiComparator.AT_LEAST, KpiComparator.ABOVE}


UNITS = {
    KpiMeasure.SHARE: KpiUnit.PERCENT,
    KpiMeasure.RATIO: KpiUnit.PERCENT,
    KpiMeasure.DURATION: KpiUnit.SECONDS,
    KpiMeasure.NET_SHARE: KpiUnit.POINTS,
    KpiMeasure.MEAN: KpiUnit.POINTS,
    KpiMeasure.COUNT: KpiUnit.COUNT,
}
"""The unit of a value, by the way it is measured."""


@dataclass(frozen=True, slots=True)
class KpiDefinition:
    """An entry of the catalogue.

    `text` says in words what a fact, the numerator and the denominator are; it and the SELECT of the source are one
    `version`, which rises with any change that may change a number. `target` and `floor` are defaults in hours for
    durations, else in the unit of the value; None where the company was promised none. `n_min` is the number of facts
    below which there is no value. `floor_improves`: the floor counts only with a better value than the window before.
    `rights` are needed for the value beside the one to read quality, `facts_rights` for the list of its facts.
    """

    key: KpiKey
    name: str
    text: str
    source: str
    measure: KpiMeasure
    comparator: KpiComparator
    version: int = 1
    target: int | None = None
    floor: int | None = None
    floor_comparator: KpiComparator | None = None
    floor_improves: bool = False
    n_min: int = 5
    rights: tuple[Right, ...] = ()
    facts_rights: tuple[Right, ...] = (Right.READ_INCIDENTS,)

    @property
    def unit(self) -> KpiUnit:
        """The unit of the value."""
        return UNITS[self.measure]
