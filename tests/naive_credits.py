"""What credits come to, written from docs/reference/credits.md alone: slow, obvious, no code of the product."""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Rule:
    """One way to earn; `amount` is cents, hundredths of a percent or thousandths of a unit, as the basis has it."""

    basis: str
    amount: int
    rate: str | None = None
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Kind:
    """One promise of the schedule: rules by priority (None: any), bands as (below ppm, basis, amount)."""

    rules: dict[str | None, Rule]
    bands: tuple[tuple[int, str, int], ...] = ()


@dataclass(frozen=True)
class Schedule:
    """One version of terms, as far as money goes; prices as (code, from, until or None, cents)."""

    fee: int
    cap: int | None
    largest: bool
    kinds: dict[str, Kind]
    prices: tuple[tuple[str, date, date | None, int], ...] = ()


@dataclass
class Verdict:
    """A promise that was decided; `given` is what people decided about its credit instead."""

    id: object
    ticket: object
    kind: str
    priority: str
    day: date
    late: bool
    given: int | None = None


@dataclass(frozen=True)
class Band:
    """The credit for a month of a promise, and what people decided about it instead."""

    kind: str
    month: date
    given: int | None = None


@dataclass
class Quarter:
    """Verdicts as they stand in the end, closed months, and the order in which credits were decided."""

    verdicts: list[Verdict]
    closed: set[date] = field(default_factory=set)
    order: list[object] = field(default_factory=list)  # ids of verdicts, and `Band`s


def cents(amount: Fraction) -> int:
    """Rounded half up."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def price(schedule: Schedule, code: str | None, day: date) -> int:
    """What a rate costs on a day, zero when it has no price."""
    for name, first, until, amount in schedule.prices:
        if name == code and first <= day and (until is None or day < until):
            return amount
    return 0


def rule_says(schedule: Schedule, verdict: Verdict) -> int | None:
    """What a broken promise earns; None without a rule."""
    rules = schedule.kinds[verdict.kind].rules
    rule = rules.get(verdict.priority, rules.get(None))
    if rule is None:
        return None
    whole = {
        "fixed": Fraction(rule.amount),
        "fee_share": Fraction(schedule.fee * rule.amount, 10_000),
        "line_share": Fraction(price(schedule, rule.rate, verdict.day) * rule.amount, 10_000),
        "service": Fraction(price(schedule, rule.rate, verdict.day) * rule.amount, 1_000),
    }[rule.basis]
    found = cents(whole)
    found = max(found, rule.least)
    if rule.most is not None and found > rule.most:
        found = rule.most
    return found


def band_says(schedule: Schedule, quarter: Quarter, band: Band) -> int:
    """What a month of a promise earns."""
    decided = [v for v in quarter.verdicts if v.kind == band.kind and first(v.day) == band.month]
    if not decided or band.month not in quarter.closed:
        return 0
    share = Fraction(sum(not v.late for v in decided), len(decided))
    for below, basis, amount in sorted(schedule.kinds[band.kind].bands):
        if share < Fraction(below, 1_000_000):
            return amount if basis == "fixed" else cents(Fraction(schedule.fee * amount, 10_000))
    return 0


def first(day: date) -> date:
    """The month of a day."""
    return date(day.year, day.month, 1)


def given(schedule: Schedule, quarter: Quarter) -> dict[object, int]:
    """What every credit of the quarter comes to in the end."""
    by_id = {v.id: v for v in quarter.verdicts}
    adds = _adds(schedule, quarter, by_id)
    found: dict[object, int] = {}
    for place, name in enumerate(quarter.order):
        month = name.month if isinstance(name, Band) else first(by_id[name].day)
        by_people = name.given if isinstance(name, Band) else by_id[name].given
        broken = isinstance(name, Band) or by_id[name].late
        used = sum(
            found[other]
            for other in quarter.order[:place]
            if (other.month if isinstance(other, Band) else first(by_id[other].day)) == month
        )
        if schedule.cap is None or (by_people is not None and broken):
            found[name] = adds[name]
        else:
            found[name] = max(0, min(adds[name], schedule.cap - used))
    return found


def _adds(schedule: Schedule, quarter: Quarter, by_id: dict[object, Verdict]) -> dict[object, int]:
    """What every credit adds to others of its cause, before the cap."""
    adds: dict[object, int] = {}
    for place, name in enumerate(quarter.order):
        if isinstance(name, Band):
            continue
        verdict = by_id[name]
        if not verdict.late:
            adds[name] = 0
        elif verdict.given is not None:
            adds[name] = verdict.given
        else:
            says = rule_says(schedule, verdict) or 0
            earlier = [by_id[o] for o in quarter.order[:place] if not isinstance(o, Band)]
            most = max(
                (
                    (rule_says(schedule, v) or 0) if v.given is None else v.given
                    for v in earlier
                    if v.late and v.ticket == verdict.ticket
                ),
                default=0,
            )
            adds[name] = max(says - most, 0) if schedule.largest else says
    for name in quarter.order:
        if isinstance(name, Band) and name.given is not None:
            adds[name] = name.given
        elif isinstance(name, Band):
            says = band_says(schedule, quarter, name)
            single = sum(
                adds[v.id]
                for v in quarter.verdicts
                if v.id in adds and v.kind == name.kind and first(v.day) == name.month
            )
            adds[name] = max(says - single, 0) if schedule.largest else says
    return adds
