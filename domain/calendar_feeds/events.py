"""Facts about links to calendars of shifts."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CalendarFeedAdded(Fact):
    """A link to the shifts of a guard or of a site was made."""

    kind: ClassVar[str] = "calendar_feed.added"
    subject_type: ClassVar[str | None] = "CalendarFeed"
    user_id: UUID | None
    site_id: UUID | None
    internal: bool = True


class CalendarFeedRevoked(Fact):
    """A link to shifts is dead from now on."""

    kind: ClassVar[str] = "calendar_feed.revoked"
    subject_type: ClassVar[str | None] = "CalendarFeed"
    internal: bool = True
