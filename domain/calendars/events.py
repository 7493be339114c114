"""Facts about calendars."""

from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CalendarDefined(Fact):
    """A calendar has a new version; agreements keep the one they were signed with. `before` is null for the first."""

    kind: ClassVar[str] = "calendar.defined"
    subject_type: ClassVar[str | None] = "Calendar"
    version_id: UUID
    number: int
    before: dict[str, Any] | None
    after: dict[str, Any]
