"""A fact as it travels to readers, and how far numbering is behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec

from domain.core.base import JSON
from domain.core.ledger import LedgerRow, Origin


class SequencedEvent(msgspec.Struct, frozen=True, array_like=True):
    """A fact with its place in the ledger, as it travels to readers; order of fields = order on the wire."""

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
    """What a cursor keeps of the fact's hash, see `link_of`."""

    @classmethod
    def of(cls, entry: LedgerRow) -> Self:
        """The row, ready to travel; the row must have its number."""
        if entry.seq is None:
            raise ValueError(f"fact {entry.id} has no number yet")
        values: dict[str, Any] = {name: getattr(entry, name) for name in COLUMNS}
        return cls(**values | {"link": link_of(entry.hash)})


COLUMNS = tuple(name for name in SequencedEvent.__struct_fields__ if name != "link")
"""The columns of the ledger that travel, in the order of the fields."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far numbering is behind: facts without a number, and since when the oldest of them waits."""

    facts: int
    oldest_at: datetime | None


def link_of(fact_hash: bytes | None) -> int | None:
    """The first six bytes of a fact's hash as a number: with its `seq` they name one fact of one history."""
    return None if fact_hash is None else int.from_bytes(fact_hash[:6], "big")
