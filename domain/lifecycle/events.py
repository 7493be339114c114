"""Facts about the lifecycle of accounts."""

from typing import ClassVar

from domain.core.ledger import Fact


class StageChanged(Fact):
    """The stage of an account changed; the reason is a text beside the fact."""

    kind: ClassVar[str] = "account.stage_changed"
    subject_type: ClassVar[str | None] = "Account"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    before: str
    after: str
    reason: str
    internal: bool = True
