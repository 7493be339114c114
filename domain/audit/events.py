"""Facts about the audit trail itself."""

from typing import ClassVar

from domain.core.ledger import Fact


class CheckpointRequested(Fact):
    """A new checkpoint was requested; about the account."""

    kind: ClassVar[str] = "checkpoint.requested"
    subject_type: ClassVar[str | None] = "Account"


class CheckpointPublished(Fact):
    """A checkpoint is sent to the account's contacts. Size and root are in the fact, so the trail records them."""

    kind: ClassVar[str] = "checkpoint.published"
    subject_type: ClassVar[str | None] = None
    size: int
    root: str
