"""Simulate proposed terms on past incidents, and estimate what a period of them would have cost."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.agreements import (
    MOST_SPECIFIC,
    BandDraft,
    CreditDraft,
    IncidentAttributes,
    PromiseDraft,
    Term,
    TermsDraft,
    applicable,
)
from domain.agreements.model import ClockStart, CreditRule, PerCause, Priority
from domain.calendars import CalendarSpec
from domain.compensation import amount_cents, excess_over, rule_for
from domain.promises import INCIDENT, ClockFact, build, is_about, judge, to_us
from domain.promises.model import State

WEEK_US = 7 * 86_400_000_000
DRAWS = 2_000
UNFINISHED = 20  # one in this many may still be undecided
BLOCK = 4  # weeks drawn together, so that consecutive bad weeks stay consecutive in a draw
MONTH_WEEKS = 4
MONTH_SHARE = (30.4375, 28.0)  # four weeks are this much less than a month
_MONTHS, _WEEKS = 12, 52


@dataclass(frozen=True, slots=True)
class SimulatedIncident:
    """The attributes of an incident that the proposed promises depend on."""

    id: UUID
    kind: str
    category: str | None
    site_id: UUID
    opened_at: datetime
    service: str | None = None

    @property
    def attributes(self) -> IncidentAttributes:
        """The attributes that decide which promises apply."""
        return IncidentAttributes(
            self.kind, self.category, self.site_id, self.opened_at, self.service
        )


class SimulatedOutcome(NamedTuple):
    """Result of one proposed promise for one incident."""

    promise: int  # position in the draft
    incident: SimulatedIncident
    kept: bool
    decided_at: datetime | None  # None: undecided
    started_at: datetime
    cents: int  # credit before any cap


class Exposure(NamedTuple):
    """Credits of a period in cents: quantiles of the draws, nearest rank."""

    p5: int
    p50: int
    p95: int


def fingerprint(terms: TermsDraft) -> bytes:
    """Hash the terms in canonical JSON with SHA-256: equal terms have the same hash."""
    plain = [
        [
            each.name,
            each.kind,
            each.calendar_version_id,
            {str(priority): target for priority, target in each.targets.items()},
            sorted(map(str, each.ticket_kinds)),
            each.category,
            each.objective_ppm,
            each.pausable,
            each.internal,
            {str(priority): credit for priority, credit in each.credits.items()},
            sorted(each.bands, key=lambda band: band.below_ppm),
            # Absent without limits and grades, so that terms without them keep the hash they had.
            *([sorted(each.site_ids), each.hours_id] if each.site_ids or each.hours_id else ()),
            *([{"services": sorted(each.services)}] if each.services else ()),
            *([{each.lowest_grade: each.doubt_favours}] if each.lowest_grade else ()),
            *(
                [{"clock_start": each.clock_start}]
                if each.clock_start is not ClockStart.TOLD
                else ()
            ),
        ]
        for each in sorted(terms.promises, key=lambda each: each.name)
    ]
    money = [terms.period_fee_cents, terms.currency, terms.credit_cap_cents, terms.per_cause]
    canonical = [plain, *money]
    return hashlib.sha256(msgspec.json.encode(canonical, order="deterministic")).digest()


def worst_cents(promise: PromiseDraft, fee_cents: int) -> int:
    """Return the largest credit for one broken promise or one month's band, without credits in units of a rate."""
    shares: list[CreditDraft | BandDraft] = [*promise.credits.values(), *promise.bands]
    return max(
        (each.fixed_cents or (each.fee_bps or 0) * fee_cents // 10_000 for each in shares),
        default=0,
    )


def can_earn_credits(terms: TermsDraft) -> bool:
    """Return whether breaking these terms can earn a credit at all."""
    return any(each.credits or each.bands for each in terms.promises)


def proposed(terms: TermsDraft, tenant_id: UUID, account_id: UUID) -> list[Term]:
    """Return the draft's promises as terms for the clock; the id holds the position in the draft."""
    return [
        Term(
            id=UUID(int=index),
            tenant_id=tenant_id,
            account_id=account_id,
            agreement_id=UUID(int=0),
            terms_id=UUID(int=0),
            name=each.name,
            kind=each.kind,
            calendar_version_id=each.calendar_version_id,
            limits=each.limits,
            rule=MOST_SPECIFIC,
            objective_ppm=each.objective_ppm,
            pausable=each.pausable,
            internal=each.internal,
            targets=dict(each.targets),
            lowest_grade=each.lowest_grade,
            doubt_favours=each.doubt_favours,
            clock_start=each.clock_start,
        )
        for index, each in enumerate(terms.promises)
    ]


def simulate_outcomes(
    terms: TermsDraft,
    promised: Sequence[Term],
    incidents: Mapping[UUID, SimulatedIncident],
    facts: Iterable[ClockFact],
    specs: Mapping[UUID, CalendarSpec],
    *,
    at: datetime,
    prices: Mapping[str, int] | None = None,
) -> list[SimulatedOutcome]:
    """Return every result as of `at`; promises apply to incidents and are evaluated as signed ones are.

    `prices` are the prices of the rates that credits name, in cents. Compliance bands are not simulated.
    """
    about_incidents = [term for term in promised if is_about(term.kind, INCIDENT)]
    attached = {
        incident.id: applicable(about_incidents, incident.attributes, specs)
        for incident in incidents.values()
    }
    rules = [_rules(each.credits) for each in terms.promises]
    found = []
    for row in judge(build(attached, facts, specs, at=at), at=at):
        if row.started_at is None or row.state is State.CANCELLED:
            continue
        index, kept, late = row.term.id.int, row.state is State.KEPT, row.state is State.LATE
        rule = rule_for(rules[index], row.priority) if late and not row.term.internal else None
        price = (prices or {}).get(rule.rate_code or "") if rule is not None else None
        cents = 0 if rule is None else amount_cents(rule, terms.period_fee_cents, price)
        incident = incidents[row.unit_id]
        found.append(SimulatedOutcome(index, incident, kept, row.decided_at, row.started_at, cents))
    return found if terms.per_cause is PerCause.EACH else _largest(found)


def _largest(outcomes: list[SimulatedOutcome]) -> list[SimulatedOutcome]:
    """Apply the rule that only the largest credit of an incident counts: each adds the excess over those before it."""
    most: dict[UUID, int] = {}
    order = sorted(
        (n for n, each in enumerate(outcomes) if each.cents),
        key=lambda n: (outcomes[n].decided_at or outcomes[n].started_at, outcomes[n].promise),
    )
    for n in order:
        each = outcomes[n]
        before = most.get(each.incident.id, 0)
        most[each.incident.id] = max(before, each.cents)
        outcomes[n] = each._replace(cents=excess_over(each.cents, before))
    return outcomes


def _rules(drafts: Mapping[Priority | None, CreditDraft]) -> list[CreditRule]:
    return [CreditRule(priority=each, **credit.columns()) for each, credit in drafts.items()]


def weekly(
    outcomes: Sequence[SimulatedOutcome], zone: str, from_at: datetime, until_at: datetime
) -> NDArray[np.int64]:
    """Return credits before caps of what began in every whole week of [from_at, until_at), from a local midnight on.

    Weeks of which more than a twentieth is undecided are left out: a promise is late only when its time has run, so
    they would look better than they are. If that applies to all weeks, only the most complete one is used.
    """
    begin = from_at.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    weeks = (to_us(until_at) - to_us(begin)) // WEEK_US
    if weeks <= 0 or not outcomes:
        return np.zeros(0, np.int64)
    week = np.array([(to_us(each.started_at) - to_us(begin)) // WEEK_US for each in outcomes])
    inside = (week >= 0) & (week < weeks)
    cents = np.array([each.cents for each in outcomes], np.int64)
    running = np.array([each.decided_at is None for each in outcomes])
    sums, begun, open_ = np.zeros((3, weeks), np.int64)
    np.add.at(sums, week[inside], cents[inside])
    np.add.at(begun, week[inside], 1)
    np.add.at(open_, week[inside], running[inside])
    complete = open_ * UNFINISHED <= begun
    if not complete.any():
        complete[np.argmin(open_ / np.maximum(begun, 1))] = True
    return sums[complete]


def exposure(
    weeks: NDArray[np.int64],
    *,
    horizon: int,
    cap_cents: int | None,
    seed: int,
    share: tuple[float, float] = (1.0, 1.0),
) -> Exposure:
    """Estimate what `horizon` weeks cost: circular blocks of weeks drawn with replacement (Politis and Romano 1992).

    Each draw first draws another history like this one and then the horizon from that, because a short history is a
    small sample. In trials an interval for 90 of 100 held 77 after 8 weeks and 88 after 52; drawn from the history
    itself, 59 and 85. The monthly cap applies to every twelfth of 52 weeks. `share` scales each draw's months, before
    their cap.
    """
    if weeks.size == 0 or horizon <= 0:
        return Exposure(0, 0, 0)
    rng = np.random.default_rng(seed)
    histories = weeks[_blocks(rng, weeks.size, weeks.size)]
    drawn = np.take_along_axis(histories, _blocks(rng, weeks.size, horizon), axis=1)
    month = np.arange(horizon) * _MONTHS // _WEEKS
    sums = np.zeros((DRAWS, int(month[-1]) + 1), np.int64)
    for week in range(horizon):
        sums[:, month[week]] += drawn[:, week]
    longer, shorter = share
    sums = np.floor(sums * longer / shorter + 0.5).astype(np.int64)
    if cap_cents is not None:
        sums = np.minimum(sums, cap_cents)
    totals = np.sort(sums.sum(axis=1))
    p5, p50, p95 = (int(totals[(DRAWS * p + 99) // 100 - 1]) for p in (5, 50, 95))
    return Exposure(p5, p50, p95)


def _blocks(rng: np.random.Generator, of: int, length: int) -> NDArray[np.int64]:
    """Return for every draw `length` positions out of `of`, in blocks of the cube root of `of`; (draws, length)."""
    block = max(1, min(BLOCK, round(of ** (1 / 3))))
    starts = rng.integers(0, of, (DRAWS, -(-length // block), 1))
    return ((starts + np.arange(block)) % of).reshape(DRAWS, -1)[:, :length]


def month(weeks: NDArray[np.int64], *, cap_cents: int | None, seed: int) -> Exposure:
    """Estimate what a month costs."""
    return exposure(weeks, horizon=MONTH_WEEKS, cap_cents=cap_cents, seed=seed, share=MONTH_SHARE)


class SimulatedLine(NamedTuple):
    """One proposed promise, at one site or (None) everywhere."""

    promise: int
    site_id: UUID | None
    n: int
    kept: int
    cents: int


def lines(outcomes: Iterable[SimulatedOutcome]) -> list[SimulatedLine]:
    """Summarize every promise everywhere and at every site, by promise and site; undecided results do not count."""
    counts: dict[tuple[int, UUID | None], list[int]] = {}
    for each in outcomes:
        if each.decided_at is None:
            continue
        for site_id in (None, each.incident.site_id):
            count = counts.setdefault((each.promise, site_id), [0, 0, 0])
            count[0] += 1
            count[1] += each.kept
            count[2] += each.cents
    ordered = sorted(counts.items(), key=lambda each: (each[0][0], str(each[0][1] or "")))
    return [SimulatedLine(*key, *count) for key, count in ordered]
