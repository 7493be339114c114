"""Facts about credits. Amounts in cents, in favour of the client positive."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class CreditDecided(Fact):
    """A broken promise earned the client this much."""

    kind: ClassVar[str] = "credit.decided"
    promise_id: UUID
    incident_id: UUID
    amount_cents: int
    currency: str


class CreditGranted(Fact):
    """A month below a compliance band, or a gesture, gave the client this much."""

    kind: ClassVar[str] = "credit.granted"
    credit_kind: str
    month_on: date
    amount_cents: int
    currency: str


class CreditProposed(Fact):
    """A credit above the threshold waits for somebody to agree; not shown to clients."""

    kind: ClassVar[str] = "credit.proposed"
    credit_kind: str
    amount_cents: int
    currency: str
    internal: bool = True


class CreditDeclined(Fact):
    """Somebody decided that a proposed credit is not given; not shown to clients."""

    kind: ClassVar[str] = "credit.declined"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    internal: bool = True


class CreditAdjusted(Fact):
    """A credit moved by `amount_cents` to `net_cents`: a counter-entry, with its reason."""

    kind: ClassVar[str] = "credit.adjusted"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    entry_id: UUID
    amount_cents: int
    net_cents: int
    currency: str
    reason: str


class PolicyChosen(Fact):
    """Somebody chose above which amount a second person agrees to credits, and how credits are taxed."""

    kind: ClassVar[str] = "compensation_policy.chosen"
    before: dict[str, Any]  # empty when there was none
    after: dict[str, Any]
    internal: bool = True


class CreditOverridden(Fact):
    """Somebody decided what a credit comes to; in cents, `before` null when the schedule said it."""

    kind: ClassVar[str] = "credit.overridden"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    before: int | None
    after: int
    reason: str
    internal: bool = True


class MonthClosed(Fact):
    """A month of an agreement is over, and its compliance was weighed."""

    kind: ClassVar[str] = "agreement.month_closed"
    month_on: date


class DisputeOpened(Fact):
    """A client contests a verdict; subject is the promise."""

    kind: ClassVar[str] = "promise.disputed"
    personal: ClassVar[frozenset[str]] = frozenset({"reason"})
    dispute_id: UUID
    reason: str


class DisputeDecided(Fact):
    """The contested verdict was judged anew from the ledger; `changed` says whether it is another one now."""

    kind: ClassVar[str] = "promise.dispute_decided"
    dispute_id: UUID
    was: str
    now: str
    changed: bool
