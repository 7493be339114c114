"""Facts about duties; they name no guard, because clients read them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Assigned(Fact):
    """A guard is to be on duty."""

    kind: ClassVar[str] = "duty.assigned"
    site_id: UUID | None
    guard: int
    from_at: datetime
    until_at: datetime


class Began(Fact):
    """A guard is on duty from now on. A duty that was over before anybody noticed its beginning has only its end."""

    kind: ClassVar[str] = "duty.began"
    site_id: UUID | None
    guard: int


class DutyEnded(Fact):
    """A duty is over."""

    kind: ClassVar[str] = "duty.ended"
    site_id: UUID | None
    guard: int
