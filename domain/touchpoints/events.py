"""Facts about touchpoints. They are internal to the company: clients do not see them."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class ContactMade(Fact):
    """A planned contact with a client was made; `last_contact_at_before`: the last one with that person until then."""

    kind: ClassVar[str] = "touchpoint.made"
    subject_type: ClassVar[str | None] = "Touchpoint"
    touchpoint_kind: str
    due_on: date
    contact_id: UUID | None
    last_contact_at_before: datetime | None = None
    internal: bool = True
