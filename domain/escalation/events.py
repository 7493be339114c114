"""Facts about escalations. They are the company's own affair: clients are not shown them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class PolicySet(Fact):
    """Others are told, or after another time. A policy is never edited: before this one there was none."""

    kind: ClassVar[str] = "escalation_policy.set"
    after: dict[str, Any]
    internal: bool = True


class PolicyEnded(Fact):
    """The policy holds no more."""

    kind: ClassVar[str] = "escalation_policy.ended"
    internal: bool = True


class Stepped(Fact):
    """Somebody was told."""

    kind: ClassVar[str] = "escalation.stepped"
    incident_id: UUID
    cycle: str
    number: int
    due_at: datetime
    user_ids: list[UUID]
    contact_ids: list[UUID]
    internal: bool = True


class EscalationStopped(Fact):
    """What somebody was told of is over: the ticket was taken up, spoken about, held or resolved."""

    kind: ClassVar[str] = "escalation.stopped"
    incident_id: UUID
    cycle: str
    steps: int
    internal: bool = True
