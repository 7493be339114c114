"""Facts about credits. Amounts in cents; positive amounts are in favour of the client."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CreditDecided(Fact, omit_defaults=True, kw_only=True):
    """A broken promise earned the client a credit."""

    kind: ClassVar[str] = "credit.decided"
    subject_type: ClassVar[str | None] = "Credit"
    promise_id: UUID
    incident_id: UUID | None = None  # of incidents
    unit_kind: str | None = None  # of other units
    unit_id: UUID | None = None
    amount_cents: int
    currency: str


class CreditGranted(Fact):
    """The client got a credit for a month below a compliance band, or as goodwill."""

    kind: ClassVar[str] = "credit.granted"
    subject_type: ClassVar[str | None] = "Credit"
    credit_kind: str
    month_on: date
    amount_cents: int
    currency: str


class CreditProposed(Fact):
    """A credit above the threshold awaits approval; not shown to clients."""

    kind: ClassVar[str] = "credit.proposed"
    subject_type: ClassVar[str | None] = "Credit"
    credit_kind: str
    amount_cents: int
    currency: str
    internal: bool = True


class CreditDeclined(Fact):
    """A proposed credit was declined; not shown to clients."""

    kind: ClassVar[str] = "credit.declined"
    subject_type: ClassVar[str | None] = "Credit"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    internal: bool = True


class CreditAdjusted(Fact):
    """A credit was adjusted by `amount_cents` to `net_cents`, by a journal entry with its reason."""

    kind: ClassVar[str] = "credit.adjusted"
    subject_type: ClassVar[str | None] = "Credit"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    entry_id: UUID
    amount_cents: int
    net_cents: int
    currency: str
    reason: str


class PolicyChosen(Fact):
    """The approval threshold or the taxation of credits was changed."""

    kind: ClassVar[str] = "compensation_policy.chosen"
    subject_type: ClassVar[str | None] = "CompensationPolicy"
    before: dict[str, Any]  # empty when there was none
    after: dict[str, Any]
    internal: bool = True


class CreditOverridden(Fact):
    """A person set the amount of a credit, in cents; `before` is null when the schedule had set it."""

    kind: ClassVar[str] = "credit.overridden"
    subject_type: ClassVar[str | None] = "Credit"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    before: int | None
    after: int
    reason: str
    internal: bool = True


class MonthClosed(Fact):
    """A month of an agreement was closed: its compliance was evaluated."""

    kind: ClassVar[str] = "agreement.month_closed"
    subject_type: ClassVar[str | None] = "Agreement"
    month_on: date


class DisputeOpened(Fact):
    """A client contests a verdict; the subject is the promise."""

    kind: ClassVar[str] = "promise.disputed"
    subject_type: ClassVar[str | None] = "Promise"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    dispute_id: UUID
    reason: str


class DisputeDecided(Fact):
    """The contested verdict was evaluated anew from the ledger; `changed` is true when it differs now."""

    kind: ClassVar[str] = "promise.dispute_decided"
    subject_type: ClassVar[str | None] = "Promise"
    dispute_id: UUID
    was: str
    now: str
    changed: bool
