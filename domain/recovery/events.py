"""Facts about recovery cases. Notes stay in the case."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CaseOpened(Fact):
    """A recovery case was opened: for an incident, for a low answer to a survey, or for the account alone."""

    kind: ClassVar[str] = "recovery.opened"
    subject_type: ClassVar[str | None] = "RecoveryCase"
    incident_id: UUID | None
    size: str
    response_id: UUID | None = None


class StepDone(Fact):
    """A step of a round was done."""

    kind: ClassVar[str] = "recovery.step_done"
    subject_type: ClassVar[str | None] = "RecoveryCase"
    step: str
    round: int


class CaseClosed(Fact):
    """The client is satisfied."""

    kind: ClassVar[str] = "recovery.closed"
    subject_type: ClassVar[str | None] = "RecoveryCase"
    round: int


class CaseReopened(Fact):
    """The client is not satisfied: `round` begins."""

    kind: ClassVar[str] = "recovery.reopened"
    subject_type: ClassVar[str | None] = "RecoveryCase"
    round: int


class StepHandedOver(Fact):
    """A step was handed over to another user of the company; `before` and `after` are the users."""

    kind: ClassVar[str] = "recovery.step_handed_over"
    subject_type: ClassVar[str | None] = "RecoveryCase"
    step: str
    round: int
    before: UUID
    after: UUID
    internal: bool = True
