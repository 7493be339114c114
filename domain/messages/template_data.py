"""Variables of each template: one struct per template; a missing field or a wrong type is refused."""

from datetime import date, datetime
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from domain.messages.model import Urgency

HOUSE = Path(__file__).parent / "templates"


class Variables(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Variables of a template; a subclass is one template.

    Its files are in `folder`: `<template>.<version>.<language>.txt`, and for its own HTML
    `<template>.<version>.<language>.html` or `<template>.<version>.html`.
    """

    template: ClassVar[str]
    version: ClassVar[int]
    folder: ClassVar[Path] = HOUSE
    topic: ClassVar[str | None] = None
    """Topic of optional mail, such as "reports"; contacts who unsubscribed from it get none."""
    urgency: ClassVar[Urgency] = Urgency.NORMAL
    email_only: ClassVar[bool] = False
    """A long text that has no text message as a fallback."""

    company: str


class AboutIncident(Variables, frozen=True, kw_only=True):
    """Variables of every notice about an incident."""

    site: str
    summary: str
    reference: str
    opened_at: datetime


class IncidentOpened(AboutIncident, frozen=True, kw_only=True):
    """An incident was opened at a site; `respond_by` when a first response is promised."""

    template: ClassVar[str] = "incident_opened"
    version: ClassVar[int] = 1
    urgency: ClassVar[Urgency] = Urgency.HIGH

    ticket_kind: str
    priority: str
    respond_by: datetime | None


class IncidentUpdated(AboutIncident, frozen=True, kw_only=True):
    """An incident has an update; `next_update_by` when a next one is promised."""

    template: ClassVar[str] = "incident_updated"
    version: ClassVar[int] = 1
    urgency: ClassVar[Urgency] = Urgency.HIGH

    news: str
    updated_at: datetime
    next_update_by: datetime | None


class IncidentResolved(AboutIncident, frozen=True, kw_only=True):
    """An incident was resolved."""

    template: ClassVar[str] = "incident_resolved"
    version: ClassVar[int] = 1

    ticket_kind: str
    resolved_at: datetime


class PromiseAtRisk(AboutIncident, frozen=True, kw_only=True):
    """A promise will be broken unless something happens; `used_percent` of its time has passed."""

    template: ClassVar[str] = "promise_at_risk"
    version: ClassVar[int] = 1
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    account: str
    promise_kind: str
    due_at: datetime
    used_percent: int
    internal: bool


class CriticalOpened(IncidentOpened, frozen=True, kw_only=True):
    """A critical incident was opened: sent in quiet hours too."""

    urgency: ClassVar[Urgency] = Urgency.CRITICAL


class CriticalUpdated(IncidentUpdated, frozen=True, kw_only=True):
    """A critical incident has an update: sent in quiet hours too."""

    urgency: ClassVar[Urgency] = Urgency.CRITICAL


class CriticalResolved(IncidentResolved, frozen=True, kw_only=True):
    """A critical incident was resolved: sent in quiet hours too."""

    urgency: ClassVar[Urgency] = Urgency.CRITICAL


class AgreementAmended(Variables, frozen=True, kw_only=True):
    """New terms are in force from a time on; `at_once`: already now. Fees in cents of their own currencies."""

    template: ClassVar[str] = "agreement_amended"
    version: ClassVar[int] = 1

    account: str
    title: str
    reference: str
    number: int
    in_force_from: datetime
    at_once: bool
    fee_was_cents: int
    currency_was: str
    fee_cents: int
    currency: str


class AgreementEnded(Variables, frozen=True, kw_only=True):
    """An agreement ends."""

    template: ClassVar[str] = "agreement_ended"
    version: ClassVar[int] = 1

    account: str
    title: str
    reference: str
    ended_at: datetime


class ClosingNote(Variables, frozen=True, kw_only=True):
    """The remaining credits of an agreement are on a credit note without a following invoice; it has to be paid out."""

    template: ClassVar[str] = "closing_note"
    version: ClassVar[int] = 1

    account: str
    title: str
    reference: str
    number: str
    amount_cents: int
    currency: str


class PayoutNotice(Variables, frozen=True, kw_only=True):
    """Money was paid to the client for a closing credit note."""

    template: ClassVar[str] = "paid_out"
    version: ClassVar[int] = 1

    account: str
    title: str
    reference: str
    number: str
    amount_cents: int
    currency: str
    paid_on: date
    payment_reference: str


class PayoutReversedNotice(PayoutNotice, frozen=True, kw_only=True):
    """A payout that the client was notified of was booked by mistake: the amount is still to be paid."""

    template: ClassVar[str] = "payout_reversed"
    version: ClassVar[int] = 1


class CreditNotice(AboutIncident, frozen=True, kw_only=True):
    """A promise was broken and the client gets a credit; times are None when the step has not happened."""

    template: ClassVar[str] = "credit_notice"
    version: ClassVar[int] = 1

    promise_kind: str
    due_at: datetime
    acknowledged_at: datetime | None
    arrived_at: datetime | None
    resolved_at: datetime | None
    amount_cents: int
    currency: str


class GrantedCreditNotice(Variables, frozen=True, kw_only=True):
    """A credit about no incident: for a month (`period`), another unit such as a shift or alarm, or as goodwill."""

    template: ClassVar[str] = "credit_granted"
    version: ClassVar[int] = 1

    account: str
    why: Literal["period", "goodwill", "report", "shift", "patrol", "replacement", "alarm"]
    month_on: date
    amount_cents: int
    currency: str


class AdjustedCreditNotice(AboutIncident, frozen=True, kw_only=True):
    """A credit that the client was notified of was adjusted; with the fact that changed the verdict, where one did.

    `fact_kind` happened at `fact_at` and was recorded at `known_at`; `decision` is the text of the person who decided.
    """

    template: ClassVar[str] = "credit_adjusted"
    version: ClassVar[int] = 1

    promise_kind: str
    due_at: datetime | None
    why: Literal["kept", "never", "called_off", "broken", "others", "decided"]
    fact_kind: str | None
    fact_at: datetime | None
    known_at: datetime | None
    decision: str | None
    was_cents: int
    amount_cents: int
    currency: str


class MonthCreditAdjusted(Variables, frozen=True, kw_only=True):
    """A credit for a month was adjusted."""

    template: ClassVar[str] = "month_credit_adjusted"
    version: ClassVar[int] = 1

    account: str
    month_on: date
    why: Literal["measured", "others", "decided"]
    decision: str | None
    was_cents: int
    amount_cents: int
    currency: str


class Recovery(AboutIncident, frozen=True, kw_only=True):
    """Apology: what went wrong, what was done about it (None: not yet) and what the client is offered.

    `offers` are names of remedies; a service credit is given with its amount, or with 0 as long as it is not granted.
    `follow_up_on` is the day on which somebody checks whether the client is satisfied.
    """

    template: ClassVar[str] = "recovery"
    version: ClassVar[int] = 1
    email_only: ClassVar[bool] = True

    cause: str
    done: str | None
    offers: list[str]
    amount_cents: int
    currency: str
    follow_up_on: date
    signed_by: str


class CheckIn(Variables, frozen=True, kw_only=True):
    """A planned check-in is due."""

    template: ClassVar[str] = "check_in"
    version: ClassVar[int] = 1
    topic: ClassVar[str | None] = "check_ins"
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    account: str
    since_on: date
    tickets: int
    kept: int
    promised: int


class CheckpointNotice(Variables, frozen=True, kw_only=True):
    """A signed checkpoint of the audit trail; `facts` is how many of its facts the client can see."""

    template: ClassVar[str] = "checkpoint"
    version: ClassVar[int] = 1
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    account: str
    facts: int
    size: int
    note: str
    verifier_key: str
    signed_at: datetime


class LetterAnswered(Variables, frozen=True, kw_only=True):
    """To colleagues: a client's reader replied to a message."""

    template: ClassVar[str] = "answered"
    version: ClassVar[int] = 1
    urgency: ClassVar[Urgency] = Urgency.HIGH
    email_only: ClassVar[bool] = True

    account: str
    sender: str
    about: str
    words: str


TEMPLATES: dict[str, type[Variables]] = {
    variables.template: variables
    for variables in (
        *(IncidentOpened, IncidentUpdated, IncidentResolved, PromiseAtRisk, LetterAnswered),
        *(
            CreditNotice,
            GrantedCreditNotice,
            AdjustedCreditNotice,
            MonthCreditAdjusted,
            Recovery,
            CheckIn,
            CheckpointNotice,
        ),
        *(AgreementAmended, AgreementEnded, ClosingNote, PayoutNotice, PayoutReversedNotice),
    )
}
"""The templates of this package; other packages register their own."""
