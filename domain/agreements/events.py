"""Facts about agreements."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Signed(Fact):
    """Company and client agreed; `terms_id` is the first version."""

    kind: ClassVar[str] = "agreement.signed"
    terms_id: UUID
    number: int


class Amended(Fact):
    """A new version of the terms holds from some instant on."""

    kind: ClassVar[str] = "agreement.amended"
    terms_id: UUID
    number: int


class RateSet(Fact):
    """A unit of a service costs this much from a day on; `before` holds the rate until then, null for the first."""

    kind: ClassVar[str] = "agreement.rate_set"
    rate_id: UUID
    code: str
    price_cents: int
    from_on: date
    before: dict[str, Any] | None
    after: dict[str, Any]


class AgreementEnding(Fact):
    """The agreement holds for no ticket opened at `ended_at` or later."""

    kind: ClassVar[str] = "agreement.ended"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    ended_at: datetime
    reason: str
