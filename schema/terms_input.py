"""Terms as clients send them, in full."""

from collections.abc import Iterable
from typing import Annotated, TypeVar

import strawberry

from domain import agreements
from domain.agreements import PerCause
from domain.core.errors import Code, Refused
from domain.evidence import DoubtFavours, Grade
from schema.core import ids
from schema.core.enums import ClockStart, Priority, PromiseKind, TicketKind
from schema.core.scalars import Long
from schema.core.types import input_type

K = TypeVar("K")
V = TypeVar("V")


@input_type
class TargetInput:
    """Time allowed for one priority: give either elapsed seconds or business days."""

    priority: Annotated[Priority, "Priority of the incidents to which the target applies."]
    elapsed_s: Annotated[int | None, "Allowed time in seconds of the calendar."] = None
    business_days: Annotated[int | None, "Allowed time in business days of the calendar."] = None


@input_type
class CreditRuleInput:
    """Credit for a broken promise: give either a fixed amount or a share of the fee."""

    priority: Annotated[
        Priority | None,
        "Priority to which the rule applies; null for every priority without its own rule.",
    ] = None
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."] = None
    fee_bps: Annotated[
        int | None,
        (
            "Share of the period fee in basis points (hundredths of a percent); with "
            "`rateCode`, of the price of that rate."
        ),
    ] = None
    rate_code: Annotated[str | None, "Code of a rate of the agreement."] = None
    units_milli: Annotated[Long | None, "Free units, in thousandths of the rate's unit."] = None
    least_cents: Annotated[Long, "Minimum amount of the credit, in cents."] = 0  # type: ignore[assignment]
    most_cents: Annotated[Long | None, "Maximum amount of the credit, in cents."] = None


@input_type
class CreditBandInput:
    """Credit for a month in which too few promises were kept: a fixed amount or a share of the fee."""

    below_ppm: Annotated[
        int, ("Upper limit of the band: it applies when a smaller share was kept, in millionths.")
    ]
    fixed_cents: Annotated[Long | None, "Fixed amount of the credit, in cents."] = None
    fee_bps: Annotated[
        int | None, "Share of the period fee, in basis points (hundredths of a percent)."
    ] = None


@input_type
class PromiseTermInput:
    """One promise in a version of terms."""

    name: Annotated[str, "Name of the promise; unique within the terms."]
    kind: Annotated[
        PromiseKind, "Kind of promise, which decides the events that start and stop its clock."
    ]
    calendar_version_id: Annotated[
        strawberry.ID, "Calendar version with the hours in which the clock runs."
    ]
    targets: Annotated[list[TargetInput], "Time allowed for each priority."]
    ticket_kinds: Annotated[
        list[TicketKind] | None, "Kinds of incidents that the promise covers; null for all."
    ] = None
    category: Annotated[
        str | None, "Category of incidents that the promise covers; null for all."
    ] = None
    site_ids: Annotated[
        list[strawberry.ID] | None, "Sites of the account that the promise covers; null for all."
    ] = None
    services: Annotated[
        list[str] | None,
        "Services that the promise covers: of the post of a shift, or stated for an incident; null for all.",
    ] = None
    hours_id: Annotated[
        strawberry.ID | None,
        "Calendar version: the promise covers incidents opened in its hours; null for any time.",
    ] = None
    objective_ppm: Annotated[int, "Share of these promises that must be kept, in millionths."] = (
        990_000
    )
    clock_start: Annotated[
        ClockStart,
        "Time at which the clock starts, for an incident. Not for kinds with a start of their own.",
    ] = ClockStart.TOLD
    pausable: Annotated[bool, "Whether pausing an incident pauses the clock of this promise."] = (
        True
    )
    internal: Annotated[
        bool,
        "Whether it is an internal objective of the company: never credited, not shown to clients.",
    ] = False
    credit_rules: Annotated[
        list[CreditRuleInput] | None, "Credits for a single broken promise."
    ] = None
    lowest_grade: Annotated[
        Grade | None,
        "Lowest grade that counts, for arrivals and starts of shifts only; null: any evidence, also none.",
    ] = None
    doubt_favours: Annotated[
        DoubtFavours, "Party that is favoured when the evidence is worse than the lowest grade."
    ] = DoubtFavours.CLIENT
    credit_bands: Annotated[
        list[CreditBandInput] | None, "Credits for a month in which too few promises were kept."
    ] = None


@input_type
class TermsInput:
    """One version of an agreement's terms, in full."""

    promises: Annotated[list[PromiseTermInput], "Promises made in this version."]
    period_fee_cents: Annotated[Long, "Monthly fee of the client, in cents."] = 0  # type: ignore[assignment]
    currency: Annotated[str, "Currency of the amounts in these terms, as an ISO 4217 code."] = "EUR"
    credit_cap_cents: Annotated[
        Long | None, "Maximum sum of the credits of a month, in cents; null for no maximum."
    ] = None
    per_cause: Annotated[PerCause, "Rule for an incident that breaks several promises."] = (
        PerCause.LARGEST
    )

    def draft(self) -> agreements.TermsDraft:
        """Convert the input to the domain's draft."""
        return agreements.TermsDraft(
            promises=tuple(_promise(each) for each in self.promises),
            period_fee_cents=self.period_fee_cents,
            currency=self.currency,
            credit_cap_cents=self.credit_cap_cents,
            per_cause=self.per_cause,
        )


def _promise(given: PromiseTermInput) -> agreements.PromiseDraft:
    return agreements.PromiseDraft(
        name=given.name,
        kind=given.kind,
        calendar_version_id=ids.wanted(
            given.calendar_version_id, "CalendarVersion", "calendarVersionId"
        ),
        targets=_by_priority(
            (each.priority, agreements.Target(each.elapsed_s, each.business_days))
            for each in given.targets
        ),
        ticket_kinds=tuple(given.ticket_kinds or ()),
        category=given.category,
        site_ids=frozenset(ids.wanted(each, "Site", "siteIds") for each in given.site_ids or ()),
        services=frozenset(given.services or ()),
        hours_id=None
        if given.hours_id is None
        else ids.wanted(given.hours_id, "CalendarVersion", "hoursId"),
        objective_ppm=given.objective_ppm,
        clock_start=given.clock_start,
        pausable=given.pausable,
        internal=given.internal,
        lowest_grade=given.lowest_grade,
        doubt_favours=given.doubt_favours,
        credits=_by_priority((each.priority, _credit(each)) for each in given.credit_rules or ()),
        bands=tuple(
            agreements.BandDraft(each.below_ppm, each.fixed_cents, each.fee_bps)
            for each in given.credit_bands or ()
        ),
    )


def _credit(given: CreditRuleInput) -> agreements.CreditDraft:
    return agreements.CreditDraft(
        fixed_cents=given.fixed_cents,
        fee_bps=given.fee_bps,
        rate_code=given.rate_code,
        units_milli=given.units_milli,
        least_cents=given.least_cents,
        most_cents=given.most_cents,
    )


def _by_priority(given: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Refuse two entries for one priority, because either could be meant."""
    found: dict[K, V] = {}
    for priority, value in given:
        if priority in found:
            raise Refused(
                Code.INVALID, f"Priority {priority} has two targets; give one.", argument="promises"
            )
        found[priority] = value
    return found
