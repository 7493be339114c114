"""Facts about promises. Each holds enough to follow the clock without reading the row."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.promises.model import INCIDENT


def unit_fields(unit_kind: str | None, unit_id: UUID | None) -> dict[str, Any]:
    """Return the fields of a fact that name the unit a promise is about: of an incident, its id alone."""
    if unit_kind == INCIDENT:
        return {"incident_id": unit_id}
    return {"unit_kind": unit_kind, "unit_id": unit_id}


class PromiseFact(Fact, omit_defaults=True, kw_only=True):
    """Fields of every fact about a promise; durations in microseconds on the promise's calendar."""

    subject_type: ClassVar[str | None] = "Promise"
    incident_id: UUID | None = None  # of incidents
    unit_kind: str | None = None  # of other units
    unit_id: UUID | None = None
    term_id: UUID
    name: str
    promise_kind: str
    part: int
    due_at: datetime | None
    elapsed_us: int
    target_us: int
    internal: bool


class Started(PromiseFact):
    """The clock of a promise started."""

    kind: ClassVar[str] = "promise.started"


class AtRisk(PromiseFact):
    """Another warning threshold has passed and the promise is still open."""

    kind: ClassVar[str] = "promise.at_risk"
    warned: int


class PromiseKept(PromiseFact):
    """The promise was kept."""

    kind: ClassVar[str] = "promise.kept"


class Breached(PromiseFact):
    """The promise was broken. `at` is the first time at which more than the target had elapsed."""

    kind: ClassVar[str] = "promise.breached"


class VerdictRevised(PromiseFact):
    """Later facts about earlier times changed a verdict, or the incident was reopened; `was` may be cancelled."""

    kind: ClassVar[str] = "promise.revised"
    was: str
    now: str


class Cancelled(PromiseFact):
    """The promise is no longer needed and was not late, or later facts show that its clock never ran."""

    kind: ClassVar[str] = "promise.cancelled"
