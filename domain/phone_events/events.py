"""Facts about batches of events of guard apps; what the events are about has facts of its own."""

from typing import ClassVar

from domain.core.ledger import Fact


class PhoneEventsReceived(Fact):
    """A guard app sent events; counts of stored, known, waiting and refused ones."""

    kind: ClassVar[str] = "phone_batch.received"
    subject_type: ClassVar[str | None] = "PhoneBatch"
    accepted: int
    duplicates: int
    waiting: int
    refused: int
    clock_error_ms: int
