"""Facts about escalations. They are internal to the company: clients do not see them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PolicySet(Fact):
    """A policy was set. A policy is never edited: there was none before."""

    kind: ClassVar[str] = "escalation_policy.set"
    subject_type: ClassVar[str | None] = "EscalationPolicy"
    after: dict[str, Any]
    internal: bool = True


class PolicyEnded(Fact):
    """A policy was ended."""

    kind: ClassVar[str] = "escalation_policy.ended"
    subject_type: ClassVar[str | None] = "EscalationPolicy"
    internal: bool = True


class Stepped(Fact):
    """A step was taken: people were notified."""

    kind: ClassVar[str] = "escalation.stepped"
    subject_type: ClassVar[str | None] = "Escalation"
    incident_id: UUID
    cycle: str
    number: int
    due_at: datetime
    user_ids: list[UUID]
    contact_ids: list[UUID]
    internal: bool = True


class EscalationStopped(Fact):
    """The escalation that people were notified of has ended: acknowledged, updated, paused or resolved."""

    kind: ClassVar[str] = "escalation.stopped"
    subject_type: ClassVar[str | None] = "Escalation"
    incident_id: UUID
    cycle: str
    steps: int
    internal: bool = True
