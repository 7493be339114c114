"""Facts about renewals. They are internal to the company: clients do not see them."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class OfRenewal(Fact):
    """A fact about a renewal."""

    subject_type: ClassVar[str | None] = "Renewal"
    agreement_id: UUID
    fixed_until: date
    notice_by: date


class RenewalOpened(OfRenewal):
    """The duration of an agreement was agreed, so that its renewal has a last day for notice."""

    kind: ClassVar[str] = "renewal.opened"
    internal: bool = True


class RenewalMoved(OfRenewal):
    """The duration of an agreement was agreed anew before its renewal was decided."""

    kind: ClassVar[str] = "renewal.moved"
    fixed_until_before: date
    notice_by_before: date
    internal: bool = True


class RenewalDue(OfRenewal):
    """So many days are left until the last day for notice."""

    kind: ClassVar[str] = "renewal.due"
    days_left: int
    internal: bool = True


class NoticePassed(OfRenewal):
    """The last day for notice is over, and nobody gave notice; `tacit` says that the agreement is renewed by that."""

    kind: ClassVar[str] = "renewal.notice_passed"
    tacit: bool
    internal: bool = True


class RenewalDecided(OfRenewal):
    """A renewal has an outcome; `price_change_bps` is the change of the price in hundredths of a percent."""

    kind: ClassVar[str] = "renewal.decided"
    outcome: str
    reason: str | None = None
    price_change_bps: int | None = None
    internal: bool = True
