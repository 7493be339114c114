"""Facts about the RAID log. What people wrote stays in the row."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class RaidRaised(Fact):
    """An entry was added to the RAID log; `review_due_at` is its next review, null for an issue or a decision."""

    kind: ClassVar[str] = "raid.raised"
    subject_type: ClassVar[str | None] = "RaidEntry"
    raid_kind: str
    impact: int | None
    likelihood: int | None
    review_due_at: datetime | None
    internal: bool = False


class RaidReviewed(Fact):
    """An entry was reviewed; `before` and `after` hold its assessment and when its review is due."""

    kind: ClassVar[str] = "raid.reviewed"
    subject_type: ClassVar[str | None] = "RaidEntry"
    raid_kind: str
    before: dict[str, Any]
    after: dict[str, Any]
    internal: bool = False


class RaidReviewLate(Fact):
    """An open entry was not reviewed by `review_due_at`."""

    kind: ClassVar[str] = "raid.review_late"
    subject_type: ClassVar[str | None] = "RaidEntry"
    raid_kind: str
    review_due_at: datetime
    internal: bool = False


class RaidHandedOver(Fact):
    """Another user of the company owns the entry; `before` and `after` are the users."""

    kind: ClassVar[str] = "raid.handed_over"
    subject_type: ClassVar[str | None] = "RaidEntry"
    before: UUID
    after: UUID
    internal: bool = True


class RaidClosed(Fact):
    """An entry was closed; the row has its outcome. The review that was due until then is not due any more."""

    kind: ClassVar[str] = "raid.closed"
    subject_type: ClassVar[str | None] = "RaidEntry"
    raid_kind: str
    review_due_at_before: datetime | None
    review_late_at_before: datetime | None
    internal: bool = False
