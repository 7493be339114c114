"""Facts as readers receive them, and how far sequencing is behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec

from domain.core.base import JSON
from domain.core.ledger import LedgerRow, Origin


class SequencedEvent(msgspec.Struct, frozen=True, array_like=True):
    """A sequenced fact as readers receive it; the order of the fields is the order of the encoding."""

    seq: int
    tenant_id: UUID
    account_id: UUID | None
    kind: str
    subject_id: UUID
    at: datetime
    recorded_at: datetime
    origin: Origin
    actor: str
    body: JSON
    trace_id: str | None = None
    link: int | None = None
    """The part of the fact's hash that a cursor keeps, see `link_of`."""

    @classmethod
    def of(cls, entry: LedgerRow) -> Self:
        """Convert a ledger row that has a sequence number."""
        if entry.seq is None:
            raise ValueError(f"fact {entry.id} has no number yet")
        values: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS}
        return cls(**values | {"link": link_of(entry.hash)})


COLUMNS = tuple(name for name in SequencedEvent.__struct_fields__ if name != "link")
"""Names of the ledger columns, in the order of the fields."""


class UnnumberedFact(msgspec.Struct, array_like=True, gc=False):
    """A committed fact without a number, with the columns that its hash covers."""

    id: int
    account_id: UUID | None
    actor: str
    at: datetime
    body: JSON
    kind: str
    origin: Origin
    recorded_at: datetime
    subject_id: UUID
    tenant_id: UUID


@dataclass(frozen=True, slots=True)
class Lag:
    """Lag of sequencing: how many facts have no number, and since when the oldest of them waits."""

    facts: int
    oldest_at: datetime | None


def link_of(fact_hash: bytes | None) -> int | None:
    """Return the first six bytes of a fact's hash as a number; with `seq` it identifies one fact of one epoch."""
    return None if fact_hash is None else int.from_bytes(fact_hash[:6], "big")
