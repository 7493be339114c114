"""Validation of terms."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from domain.agreements.limits import PromiseLimits
from domain.agreements.model import (
    ClockStart,
    CreditBasis,
    PerCause,
    Priority,
    PromiseKind,
    TicketKind,
)
from domain.calendars import CalendarSpec, capacity
from domain.core.bounds import MAX_CENTS, MAX_MILLI, must_be_cents, must_be_currency
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.evidence import DoubtFavours, Grade

LONGEST_S, LONGEST_DAYS = 366 * 24 * 3_600, 366
"""The longest target: calendars are expanded until it fits, for every incident with that promise."""
_STARTED_BY_TELLING = frozenset(
    {
        PromiseKind.FIRST_RESPONSE,
        PromiseKind.NEXT_UPDATE,
        PromiseKind.ARRIVAL,
        PromiseKind.RESOLUTION,
        PromiseKind.CLOSURE,
    }
)
"""Kinds whose clock starts when an incident is told, and may start when it happened instead."""


@dataclass(frozen=True, slots=True)
class Target:
    """Duration of a target: elapsed seconds on its calendar, or whole business days."""

    elapsed_s: int | None = None
    business_days: int | None = None


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """Credit for a broken promise as proposed, on one of four bases.

    A fixed amount; a share of the period fee; with `rate_code` a share of the price of that rate; with `rate_code` and
    `units_milli` so many thousandths of its unit for free. At least `least_cents`, at most `most_cents`.
    """

    fixed_cents: int | None = None
    fee_bps: int | None = None
    rate_code: str | None = None
    units_milli: int | None = None
    least_cents: int = 0
    most_cents: int | None = None

    @property
    def basis(self) -> CreditBasis:
        """The basis that the given values imply."""
        if self.units_milli is not None:
            return CreditBasis.SERVICE
        if self.fee_bps is not None:
            return CreditBasis.FEE_SHARE if self.rate_code is None else CreditBasis.LINE_SHARE
        return CreditBasis.FIXED

    def columns(self) -> dict[str, Any]:
        """Convert the draft to columns of a `CreditRule`."""
        return {"basis": self.basis, **asdict(self)}


@dataclass(frozen=True, slots=True)
class BandDraft:
    """Credit for a month in which less than `below_ppm` was kept: a fixed amount, or a share of the period fee."""

    below_ppm: int
    fixed_cents: int | None = None
    fee_bps: int | None = None


@dataclass(frozen=True, slots=True)
class PromiseDraft:
    """One promise as proposed; credits under None apply to every priority without one of its own."""

    name: str
    kind: PromiseKind
    calendar_version_id: UUID
    targets: Mapping[Priority, Target]
    ticket_kinds: tuple[TicketKind, ...] = ()
    category: str | None = None
    site_ids: frozenset[UUID] = frozenset()
    hours_id: UUID | None = None
    services: frozenset[str] = frozenset()
    objective_ppm: int = 990_000
    clock_start: ClockStart = ClockStart.TOLD
    pausable: bool = True
    internal: bool = False
    credits: Mapping[Priority | None, CreditDraft] = field(default_factory=dict)
    bands: tuple[BandDraft, ...] = ()
    lowest_grade: Grade | None = None
    doubt_favours: DoubtFavours = DoubtFavours.CLIENT

    @property
    def limits(self) -> PromiseLimits:
        """The incidents that the promise is limited to."""
        kinds = frozenset(map(str, self.ticket_kinds))
        return PromiseLimits(kinds, self.category, self.site_ids, self.hours_id, self.services)


@dataclass(frozen=True, slots=True)
class TermsDraft:
    """One version of terms as proposed."""

    promises: tuple[PromiseDraft, ...]
    period_fee_cents: int = 0
    currency: str = "EUR"
    credit_cap_cents: int | None = None
    per_cause: PerCause = PerCause.LARGEST


def check(terms: TermsDraft) -> None:
    """Refuse terms that contradict themselves; the error names the promise."""
    must_be_cents(terms.period_fee_cents, "periodFeeCents")
    must_be_cents(terms.credit_cap_cents, "creditCapCents")
    if not terms.promises:
        raise Refused(
            Code.INVALID, "An agreement must have at least one promise.", argument="promises"
        )
    names = [promise.name for promise in terms.promises]
    if len(set(names)) != len(names):
        raise Refused(
            Code.INVALID,
            "Two promises have the same name; each name must be unique.",
            argument="promises",
        )
    must_be_currency(terms.currency, "currency")
    for promise in terms.promises:
        must_be_line(promise.name, "promises")
        must_be_line(promise.category, "promises")
        for service in promise.services:
            must_be_line(service, "promises")
        for credit in promise.credits.values():
            must_be_line(credit.rate_code, "promises")
        for problem in _problems(promise):
            raise Refused(Code.INVALID, f"Promise {promise.name!r}: {problem}", argument="promises")


def check_calendar(promise: PromiseDraft, spec: CalendarSpec) -> None:
    """Refuse a target that the promise's calendar does not reach within 32 years."""
    held = capacity(spec)
    for priority, target in promise.targets.items():
        too_long = (target.elapsed_s or 0) * 1_000_000 > held.working_us
        if too_long or (target.business_days or 0) > held.business_days:
            raise Refused(
                Code.INVALID,
                f"Promise {promise.name!r}: its calendar has too few working hours for the target for {priority}. "
                f"On this calendar at most {held.working_us // 3_600_000_000:,} working hours or "
                f"{held.business_days:,} business days can be promised.",
                argument="promises",
            )


def _problems(promise: PromiseDraft) -> list[str]:
    found = []
    if not promise.targets:
        found.append("it needs a target for at least one priority.")
    if not 0 <= promise.objective_ppm <= 1_000_000:
        found.append("the objective must be 0 to 1,000,000 ppm.")
    for priority, target in promise.targets.items():
        if (target.elapsed_s is None) == (target.business_days is None):
            found.append(f"{priority} needs either elapsed time or business days.")
        elif not 0 <= (target.elapsed_s or 0) <= LONGEST_S:
            found.append(f"the target for {priority} must be 0 to {LONGEST_S:,} seconds.")
        elif not 0 <= (target.business_days or 0) <= LONGEST_DAYS:
            found.append(f"the target for {priority} must be 0 to {LONGEST_DAYS} business days.")
    found += [
        problem for credit in promise.credits.values() for problem in _promise_problems(credit)
    ]
    levels = [band.below_ppm for band in promise.bands]
    if len(set(levels)) != len(levels) or not all(1 <= level <= 1_000_000 for level in levels):
        found.append("bands must be below different shares of 1 to 1,000,000 ppm.")
    for band in promise.bands:
        if (band.fixed_cents is None) == (band.fee_bps is None):
            found.append("a band needs either a fixed amount or a share of the fee.")
        elif (
            not 0 <= (band.fixed_cents or 0) <= MAX_CENTS or not 0 <= (band.fee_bps or 0) <= 10_000
        ):
            found.append(f"a band must be 0 to {MAX_CENTS:,} cents and at most the whole fee.")
    found += _problems_of_units(promise)
    if promise.internal and (promise.credits or promise.bands):
        found.append("an internal objective cannot have credits.")
    return found + _grade_problems(promise)


_GRADED = frozenset(
    {
        PromiseKind.ARRIVAL,
        PromiseKind.SHIFT_STARTED,
        PromiseKind.REPLACEMENT_ON_POST,
        PromiseKind.ALARM_ATTENDED,
    }
)
_OF_SHIFTS = frozenset(
    {PromiseKind.SHIFT_STARTED, PromiseKind.SHIFT_COVERED, PromiseKind.SHIFT_REPORTED}
)
_SHORTEST_REPLACEMENT_S = 3_600


def _grade_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if promise.lowest_grade is not None and promise.kind not in _GRADED:
        found.append(
            "only arrivals, starts of shifts, replacements and responses to alarms are graded;"
            " leave the lowest grade out."
        )
    if promise.lowest_grade is None and promise.doubt_favours is DoubtFavours.COMPANY:
        found.append("who is favoured by doubt needs a lowest grade.")
    return found


def _problems_of_units(promise: PromiseDraft) -> list[str]:
    """List what does not fit the unit that a promise is about."""
    if promise.clock_start is not ClockStart.TOLD and promise.kind not in _STARTED_BY_TELLING:
        return [f"a promise of kind {promise.kind} has a start of its own; leave out clockStart."]
    if promise.kind is PromiseKind.REPORT_DELIVERED:
        return _problems_without_place(promise, "reports")
    if promise.kind is PromiseKind.COMMITMENT_KEPT:
        return _problems_without_place(promise, "commitments")
    if promise.kind is PromiseKind.CLIENT_SATISFIED:
        return _rating_problems(promise)
    if promise.kind is PromiseKind.REVIEW_ANSWERED:
        return _problems_without_place(promise, "replies to reviews")
    if promise.kind in _OF_SHIFTS:
        return _shift_problems(promise)
    if promise.kind is PromiseKind.REPLACEMENT_ON_POST:
        return _replacement_problems(promise)
    if promise.kind in (PromiseKind.PATROL_COMPLETED, PromiseKind.POINT_VISITED):
        return _patrol_problems(promise)
    if promise.kind is PromiseKind.ALARM_ATTENDED:
        return _alarm_problems(promise)
    return []


def _problems_without_place(promise: PromiseDraft, units: str) -> list[str]:
    found = []
    if len(promise.targets) != 1:
        found.append(f"{units} have no priority; it needs one target.")
    if promise.ticket_kinds or promise.site_ids or promise.services:
        found.append(f"{units} have neither a site, a service nor a kind of incident.")
    return found


def _rating_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if len(promise.targets) != 1 or any(each.elapsed_s != 0 for each in promise.targets.values()):
        found.append("a rating takes no time; it needs one target, of 0 seconds.")
    if promise.ticket_kinds or promise.services:
        found.append("ratings have neither a service nor a kind of incident.")
    if promise.hours_id is not None:
        found.append("ratings stand from the end of a survey, at any hour; leave out the hours.")
    return found


def _shift_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if len(promise.targets) != 1:
        found.append("shifts have no priority; it needs one target.")
    if promise.ticket_kinds:
        found.append("shifts have no kind of incident.")
    if promise.kind is PromiseKind.SHIFT_COVERED and any(
        each.elapsed_s != 0 for each in promise.targets.values()
    ):
        found.append(
            "cover is a share of the planned time, which the objective gives; its target is 0 seconds."
        )
    return found


def _replacement_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if len(promise.targets) != 1:
        found.append("replacements have no priority; it needs one target.")
    if promise.ticket_kinds:
        found.append("replacements have no kind of incident.")
    if any(
        each.elapsed_s is None or each.elapsed_s < _SHORTEST_REPLACEMENT_S
        for each in promise.targets.values()
    ):
        found.append(
            "the target of a replacement is an hour or more: guards clock in an hour before a shift at the earliest."
        )
    return found


def _patrol_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if len(promise.targets) != 1:
        found.append("rounds of patrols have no priority; it needs one target.")
    if promise.ticket_kinds:
        found.append("rounds of patrols have no kind of incident.")
    return found


def _promise_problems(credit: CreditDraft) -> list[str]:
    found = []
    ways = (credit.fixed_cents, credit.fee_bps, credit.units_milli)
    if sum(way is not None for way in ways) != 1:
        found.append("a credit needs exactly one of: a fixed amount, a share, free units.")
    elif (
        not 0 <= (credit.fixed_cents or 0) <= MAX_CENTS or not 0 <= (credit.fee_bps or 0) <= 10_000
    ):
        found.append(f"a credit must be 0 to {MAX_CENTS:,} cents and at most the whole fee.")
    elif credit.units_milli is not None and (
        not 0 < credit.units_milli <= MAX_MILLI or credit.rate_code is None
    ):
        found.append(f"free units must be 1 to {MAX_MILLI:,} thousandths of a rate's unit.")
    elif credit.fixed_cents is not None and credit.rate_code is not None:
        found.append("a fixed amount cannot refer to a rate.")
    most = MAX_CENTS if credit.most_cents is None else credit.most_cents
    if not 0 <= credit.least_cents <= most <= MAX_CENTS:
        found.append(
            "a credit's minimum must not be negative, and its maximum not below it nor above the limit."
        )
    return found


def _alarm_problems(promise: PromiseDraft) -> list[str]:
    found = []
    if len(promise.targets) != 1:
        found.append("responses to alarms have no priority; it needs one target.")
    if promise.ticket_kinds or promise.services:
        found.append(
            "alarms have neither a kind of incident nor a service; category is their kind."
        )
    return found
