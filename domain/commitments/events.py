"""Facts about commitments. What was promised stays in the row."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CommitmentMade(Fact):
    """A user of the company promised a client something by an instant."""

    kind: ClassVar[str] = "commitment.made"
    subject_type: ClassVar[str | None] = "Commitment"
    commitment_kind: str
    due_at: datetime
    internal: bool = False


class CommitmentDone(Fact):
    """What was promised is done; `late` says whether after the due time."""

    kind: ClassVar[str] = "commitment.done"
    subject_type: ClassVar[str | None] = "Commitment"
    late: bool
    internal: bool = False


class CommitmentLate(Fact):
    """The due time has passed, and it is not done."""

    kind: ClassVar[str] = "commitment.late"
    subject_type: ClassVar[str | None] = "Commitment"
    internal: bool = False


class CommitmentWithdrawn(Fact):
    """The commitment no longer holds; the row has the reason."""

    kind: ClassVar[str] = "commitment.withdrawn"
    subject_type: ClassVar[str | None] = "Commitment"
    internal: bool = False


class CommitmentHandedOver(Fact):
    """Another user of the company is responsible; `before` and `after` are the users."""

    kind: ClassVar[str] = "commitment.handed_over"
    subject_type: ClassVar[str | None] = "Commitment"
    before: UUID
    after: UUID
    internal: bool = True
