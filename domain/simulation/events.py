"""Facts about proposed terms."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class TermsSignedOff(Fact):
    """The risk of terms that exceed the account's limit was signed off; the fact's actor is the person."""

    kind: ClassVar[str] = "terms.signed_off"
    subject_type: ClassVar[str | None] = "Simulation"
    simulation_id: UUID
    terms_sha256: str
    p95_cents: int
    limit_cents: int
    internal: bool = True


class TermsSimulated(Fact):
    """Proposed terms were simulated on a client's history; the subject is the simulation."""

    kind: ClassVar[str] = "terms.simulated"
    subject_type: ClassVar[str | None] = "Simulation"
    terms_sha256: str
    from_at: datetime
    until_at: datetime
    seed: int
    whole_history: bool
    p95_cents: int
    limit_cents: int
    internal: bool = True
