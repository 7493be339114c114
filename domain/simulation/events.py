"""Facts about proposed terms."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class TermsSignedOff(Fact):
    """Somebody accepted the risk of terms that exceed the account's limit; the fact's actor says who."""

    kind: ClassVar[str] = "terms.signed_off"
    simulation_id: UUID
    terms_sha256: str
    p95_cents: int
    limit_cents: int
    internal: bool = True


class TermsSimulated(Fact):
    """Proposed terms were played on a client's history; subject is the simulation."""

    kind: ClassVar[str] = "terms.simulated"
    terms_sha256: str
    from_at: datetime
    until_at: datetime
    seed: int
    whole_history: bool
    p95_cents: int
    limit_cents: int
    internal: bool = True
