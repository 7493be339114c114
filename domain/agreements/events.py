"""Facts about agreements."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Signed(Fact):
    """An agreement was signed; `terms_id` is the first version of its terms."""

    kind: ClassVar[str] = "agreement.signed"
    subject_type: ClassVar[str | None] = "Agreement"
    terms_id: UUID
    number: int


class Amended(Fact):
    """A new version of the terms is in force from `in_force_from` on; until then the version before it is.

    Versions never change, so their ids stand for what was agreed before and after.
    """

    kind: ClassVar[str] = "agreement.amended"
    subject_type: ClassVar[str | None] = "Agreement"
    terms_id: UUID
    number: int
    terms_id_before: UUID | None = None
    number_before: int | None = None
    in_force_from: datetime | None = None


class RateSet(Fact):
    """The price of a unit of a service changes on a day; `before` holds the rate until then, null for the first."""

    kind: ClassVar[str] = "agreement.rate_set"
    subject_type: ClassVar[str | None] = "Agreement"
    rate_id: UUID
    code: str
    price_cents: int
    from_on: date
    before: dict[str, Any] | None
    after: dict[str, Any]


class AgreementEnding(Fact):
    """The agreement ends: no incident opened at `ended_at` or later gets promises.

    `ended_at_before` is the end that was planned until then, null for none.
    """

    kind: ClassVar[str] = "agreement.ended"
    subject_type: ClassVar[str | None] = "Agreement"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    ended_at: datetime
    reason: str
    ended_at_before: datetime | None = None


class DurationAgreed(Fact):
    """The last day of the agreement, its notice period and its renewal without notice were agreed."""

    kind: ClassVar[str] = "agreement.duration_agreed"
    subject_type: ClassVar[str | None] = "Agreement"
    before: dict[str, Any]
    after: dict[str, Any]
