"""Facts about incidents that the system opened."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class OpenedByRule(Fact):
    """The system opened an incident by a rule, with the reason in words."""

    kind: ClassVar[str] = "system_opening.made"
    subject_type: ClassVar[str | None] = "SystemOpening"
    incident_id: UUID
    rule: str
    reason: str
