"""Facts about credits."""

from typing import ClassVar
from uuid import UUID

from domain.ledger import Fact


class CreditDecided(Fact):
    """A broken promise earned the client this much."""

    kind: ClassVar[str] = "credit.decided"
    promise_id: UUID
    incident_id: UUID
    amount_cents: int
    currency: str
