"""Facts about the health of relationships. They are internal to the company: clients do not see them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class HealthBandChanged(Fact):
    """The confirmed band of an account changed; bands from 1 (critical) to 4 (healthy), null for none.

    Scores in millionths of a point.
    """

    kind: ClassVar[str] = "health.band_changed"
    subject_type: ClassVar[str | None] = "AccountHealth"
    before: int | None
    after: int | None
    score_millionths: int | None
    internal: bool = True


class ObservationRecorded(Fact):
    """Somebody observed something about the relationship, at the time of the fact."""

    kind: ClassVar[str] = "observation.recorded"
    subject_type: ClassVar[str | None] = "Observation"
    personal: ClassVar[frozenset[str]] = frozenset({"note"})
    observed: str
    value: int | None
    total: int | None
    contact_id: UUID | None
    note: str | None
    internal: bool = True


class ObservationWithdrawn(Fact):
    """An observation was wrong and counts no longer; `was_at` is when it was said to have been made."""

    kind: ClassVar[str] = "observation.withdrawn"
    subject_type: ClassVar[str | None] = "Observation"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    observed: str
    was_at: datetime
    reason: str
    internal: bool = True


class WarningRaised(Fact):
    """A rule raised an early warning; `evidence` are the facts behind it, as numbers of the ledger's table."""

    kind: ClassVar[str] = "warning.raised"
    subject_type: ClassVar[str | None] = "EarlyWarning"
    rule: str
    severity: str
    evidence: list[int]
    internal: bool = True


class WarningCleared(Fact):
    """The condition of an early warning no longer holds."""

    kind: ClassVar[str] = "warning.cleared"
    subject_type: ClassVar[str | None] = "EarlyWarning"
    rule: str
    raised_at: datetime
    internal: bool = True
