"""What a client is entitled to: a pure function of verdicts, terms and prices. Integer cents, rounded once, half up.

The worked-out rules are in `docs/reference/credits.md`. Entitlements are computed whole; what was paid moves towards
them by journal entries, so the order in which facts come in does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from domain.agreements.model import CreditBand, CreditBasis, CreditRule, Priority

_BPS, _MILLI, _PPM = 10_000, 1_000, 1_000_000


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A broken promise, and the amount of its rule before other credits and caps."""

    promise_id: UUID
    unit_id: UUID
    term_id: UUID
    turn: int  # sequence number of its credit within the agreement
    month_on: date
    earned_cents: int
    cap_cents: int | None
    only_largest: bool  # only the largest credit of one incident counts
    given_cents: int | None = None  # amount that a person decided instead
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Month:
    """A closed month of one promise in the terms, and the amount of its band before other credits and caps."""

    term_id: UUID
    turn: int
    month_on: date
    earned_cents: int
    cap_cents: int | None
    only_largest: bool
    given_cents: int | None = None
    currency: str = "EUR"


def rule_for(rules: Iterable[CreditRule], priority: Priority) -> CreditRule | None:
    """Return the priority's own rule, else the one for every priority, else None."""
    by_priority = {rule.priority: rule for rule in rules}
    return by_priority.get(priority) or by_priority.get(None)


def amount_cents(
    rule: CreditRule, period_fee_cents: int, price_cents: int | None = None, *, bounded: bool = True
) -> int:
    """Return the amount of a rule; `price_cents` is the price of its rate on that day, None when there is none.

    `bounded`: the rule's minimum and maximum apply. They are in the currency of the terms and do not cover another one.
    """
    if rule.basis is CreditBasis.FIXED:
        cents = rule.fixed_cents or 0
    elif rule.basis is CreditBasis.SERVICE:
        cents = half_up((rule.units_milli or 0) * (price_cents or 0), _MILLI)
    else:
        whole = period_fee_cents if rule.basis is CreditBasis.FEE_SHARE else price_cents or 0
        cents = half_up(whole * (rule.fee_bps or 0), _BPS)
    if not bounded:
        return cents
    cents = max(cents, rule.least_cents or 0)
    return cents if rule.most_cents is None else min(cents, rule.most_cents)


def band_for(bands: Iterable[CreditBand], *, kept: int, decided: int) -> CreditBand | None:
    """Return the lowest band that the share kept lies below; None when nothing was decided."""
    below = [band for band in bands if kept * _PPM < band.below_ppm * decided]
    return min(below, key=lambda band: band.below_ppm, default=None)


def band_cents(band: CreditBand, period_fee_cents: int) -> int:
    """Return the amount of a band."""
    if band.fixed_cents is not None:
        return band.fixed_cents
    return half_up(period_fee_cents * (band.fee_bps or 0), _BPS)


def excess_over(cents: int, before: int) -> int:
    """Return how much an amount exceeds what was earned before for the same cause."""
    return max(0, cents - before)


def entitled(broken: Sequence[BrokenPromise], months: Sequence[Month]) -> Mapping[object, int]:
    """Return the cents for every broken promise (by its id) and closed month (by term and month).

    First the excess over what was earned for the same cause, then what the month's cap leaves of that, both in the
    order in which the credits were decided: a later credit never reduces an earlier one. Amounts of two currencies are
    neither compared nor added.
    """
    cause: dict[tuple[UUID, str], int] = {}  # the largest amount earned for an incident
    single: dict[tuple[UUID, date, str], int] = {}  # for the breaches of one promise in a month
    gained: list[tuple[object, BrokenPromise | Month, int]] = []
    for each in sorted(broken, key=lambda b: b.turn):
        own = each.earned_cents if each.given_cents is None else each.given_cents
        of = (each.unit_id, each.currency)
        before = cause.get(of, 0)
        adds = excess_over(own, before) if each.only_largest and each.given_cents is None else own
        cause[of] = max(before, own)
        about = (each.term_id, each.month_on, each.currency)
        single[about] = single.get(about, 0) + adds
        gained.append((each.promise_id, each, adds))
    for month in months:
        key = (month.term_id, month.month_on)
        own = month.earned_cents if month.given_cents is None else month.given_cents
        part = month.only_largest and month.given_cents is None
        earlier = single.get((*key, month.currency), 0)
        gained.append((key, month, excess_over(own, earlier) if part else own))
    found: dict[object, int] = {}
    used: dict[tuple[date, str], int] = {}
    for name, due, adds in sorted(gained, key=lambda g: g[1].turn):
        cap = (due.month_on, due.currency)
        before, given = used.get(cap, 0), adds
        if due.cap_cents is not None and due.given_cents is None:  # a person may exceed the cap
            given = max(0, min(adds, due.cap_cents - before))
        used[cap] = before + given
        found[name] = given
    return found


def half_up(numerator: int, denominator: int) -> int:
    """Divide two non-negative integers, rounded half up to whole cents."""
    return (numerator * 2 + denominator) // (2 * denominator)


def month_of(at: datetime, time_zone: str) -> date:
    """Return the first day of the local month that contains a time."""
    return at.astimezone(ZoneInfo(time_zone)).date().replace(day=1)


def next_month(month_on: date) -> date:
    """Return the first day of the month after."""
    return month_on + relativedelta(months=1, day=1)


def month_start(month_on: date, time_zone: str) -> datetime:
    """Return the time at which a local month begins."""
    return datetime(month_on.year, month_on.month, 1, tzinfo=ZoneInfo(time_zone))
