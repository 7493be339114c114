"""Facts about proposed terms."""

from typing import ClassVar
from uuid import UUID

from domain.ledger import Fact


class TermsSignedOff(Fact):
    """Somebody accepted the risk of terms that exceed the account's limit; the fact's actor says who."""

    kind: ClassVar[str] = "terms.signed_off"
    simulation_id: UUID
    terms_sha256: str
    p95_cents: int
    limit_cents: int
    internal: bool = True
