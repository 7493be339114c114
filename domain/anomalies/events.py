"""Facts about anomalies. Figures are in thousandths, probabilities in millionths; words stay in the row."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class AnomalyRaised(Fact):
    """A detector found something unusual in a daily series of the account; the evidence is of its days."""

    kind: ClassVar[str] = "anomaly.raised"
    subject_type: ClassVar[str | None] = "Anomaly"
    series: str
    site_id: UUID | None
    incident_kind: str | None
    theme: str | None
    detector: str
    direction: str
    found_on: date
    first_on: date
    value_milli: int
    base_milli: int
    scale_milli: int
    z_milli: int
    probability_ppm: int | None
    evidence_ids: list[UUID]
    text_ids: list[UUID]
    internal: bool = True


class AnomalyContinued(Fact):
    """An anomaly lasts: its last day, and the figures of its most unusual day so far."""

    kind: ClassVar[str] = "anomaly.continued"
    subject_type: ClassVar[str | None] = "Anomaly"
    last_on_before: date
    last_on: date
    peak_on: date
    value_milli: int
    base_milli: int
    scale_milli: int
    z_milli: int
    evidence_ids: list[UUID]
    text_ids: list[UUID]
    internal: bool = True


class AnomalyAcknowledged(Fact):
    """Somebody said what explains an anomaly, or that it is a false alarm; the words stay in the row."""

    kind: ClassVar[str] = "anomaly.acknowledged"
    subject_type: ClassVar[str | None] = "Anomaly"
    before: str
    after: str
    incident_before: UUID | None
    incident_after: UUID | None
    internal: bool = True
