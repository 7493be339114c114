"""Facts about the audit trail itself."""

from typing import ClassVar

from domain.core.ledger import Fact


class CheckpointRequested(Fact):
    """Somebody wants to be sent a fresh checkpoint; about the account."""

    kind: ClassVar[str] = "checkpoint.requested"


class CheckpointPublished(Fact):
    """A checkpoint goes to the account's contacts. It names the size and root, so the trail itself remembers it."""

    kind: ClassVar[str] = "checkpoint.published"
    size: int
    root: str
