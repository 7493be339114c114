"""Facts about duties; they name no guard, because clients read them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class DutyAssigned(Fact):
    """A guard was assigned to a duty."""

    kind: ClassVar[str] = "duty.assigned"
    subject_type: ClassVar[str | None] = "Duty"
    site_id: UUID | None
    guard: int
    from_at: datetime
    until_at: datetime


class Began(Fact):
    """The duty of a guard began. A duty that was over before its beginning was recorded has only its end."""

    kind: ClassVar[str] = "duty.began"
    subject_type: ClassVar[str | None] = "Duty"
    site_id: UUID | None
    guard: int


class DutyEnded(Fact):
    """A duty ended."""

    kind: ClassVar[str] = "duty.ended"
    subject_type: ClassVar[str | None] = "Duty"
    site_id: UUID | None
    guard: int
