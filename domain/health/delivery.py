"""Signals of delivery: approvals, changes of terms, rework, hours and promises."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import sqrt
from uuid import UUID

from domain.health.curves import Curve, linear
from domain.health.facts import DAY, AccountFacts, HealthFact, Point, points_of
from domain.health.observed import ObservationKind
from domain.health.signals import Signal, SignalCategory, SignalKey, share

CHANGE_WINDOW, CHANGE_BASE = 90 * DAY, 365 * DAY
MONTH = 365 * DAY / 12
Z = 1.959963984540054
"""Quantile of a 95 % interval."""
DECIDED = ("promise.kept", "promise.breached", "promise.revised", "promise.cancelled")


def approvals(facts: AccountFacts) -> list[Point]:
    """Return approvals of the client; the number is 1 for one that was given by its date."""
    return points_of(facts.observed(ObservationKind.APPROVAL))


def changes(facts: AccountFacts) -> list[Point]:
    """Return the amendments of terms, and the corrections of planned quantities."""
    planned = [fact for fact in facts.of("agreement.planned") if fact.body["before"] is not None]
    return [Point(fact.at, fact.number, 1.0) for fact in [*facts.of("agreement.amended"), *planned]]


def acceleration(inside: Sequence[Point], known: Sequence[Point], at: datetime) -> float | None:
    """Return the changes a month in the window ÷ those a month in the year before it; None without such a year."""
    begin = at - CHANGE_WINDOW
    before = [point for point in known if begin - CHANGE_BASE < point.at <= begin]
    if not before:
        return None
    usual = len(before) / (CHANGE_BASE / MONTH)
    return len(inside) / (CHANGE_WINDOW / MONTH) / usual


def closures(facts: AccountFacts) -> list[Point]:
    """Return closed incidents; the number is 1 for one that was reopened afterwards."""
    reopened: dict[UUID, list[datetime]] = {}
    for fact in facts.of("incident.reopened"):
        reopened.setdefault(fact.subject_id, []).append(fact.at)
    return [
        Point(
            fact.at,
            fact.number,
            float(any(at >= fact.at for at in reopened.get(fact.subject_id, ()))),
        )
        for fact in facts.of("incident.closed")
    ]


def shift_hours(facts: AccountFacts) -> list[Point]:
    """Return the staffed hours of each shift that is over, with its planned hours as the weight."""
    plans = {fact.subject_id: fact for fact in facts.of("shift.published")}
    corrected: dict[UUID, list[HealthFact]] = {}
    for fact in facts.of("shift.attendance_corrected"):
        corrected.setdefault(fact.subject_id, []).append(fact)
    found = {}
    for fact in facts.of("shift.ended"):
        plan = plans.get(fact.subject_id)
        if plan is None:
            continue
        begin, end = _time(plan.body["from_at"]), _time(plan.body["until_at"])
        worked = _worked(fact, corrected.get(fact.subject_id, ()), end)
        planned = (end - begin) / timedelta(hours=1)
        found[fact.subject_id] = Point(fact.at, fact.number, worked, planned)
    return [*found.values()]


def _worked(ended: HealthFact, corrections: Iterable[HealthFact], planned_end: datetime) -> float:
    """Return the hours from clock-in to clock-out, as corrected; a missing clock-out is the planned end."""
    start, end = ended.body["started_at"], ended.body["ended_at"]
    for fact in corrections:
        if fact.body["attendance_kind"] == "clock_in":
            start = fact.body["after"]
        else:
            end = fact.body["after"]
    if start is None:
        return 0.0
    until = planned_end if end is None else _time(end)
    return max(0.0, (until - _time(start)) / timedelta(hours=1))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def verdicts(facts: AccountFacts) -> list[Point]:
    """Return the promises to the client that were decided, each by its last verdict; the number is 1 for a kept one."""
    found: dict[UUID, Point] = {}
    for fact in sorted(facts.of(*DECIDED), key=lambda fact: fact.number):
        if fact.body.get("internal"):
            continue
        verdict = fact.body["now"] if fact.kind == "promise.revised" else fact.kind.split(".")[1]
        before = found.pop(fact.subject_id, None)
        if verdict in ("kept", "late", "breached"):
            at = fact.at if before is None else before.at
            found[fact.subject_id] = Point(at, fact.number, float(verdict == "kept"))
    return [*found.values()]


def wilson_low(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the lower bound of the Wilson score interval (95 %) of a share (Wilson 1927)."""
    n = len(inside)
    p, square = sum(point.number for point in inside) / n, Z * Z
    spread = Z * sqrt(p * (1 - p) / n + square / (4.0 * n * n))
    return max(0.0, (p + square / (2 * n) - spread) / (1 + square / n))


D = SignalCategory.DELIVERY
SIGNALS = (
    Signal(
        SignalKey.APPROVALS_ON_TIME, D, 6, linear(0.5, 0.95), approvals, share,
        "Approvals that the client gave by their date ÷ all.", "share", 180 * DAY, 2,
    ),
    Signal(
        SignalKey.CHANGES_OF_TERMS, D, 6, linear(3, 1), changes, acceleration,
        "Changes of terms or plan a month ÷ those a month in the year before.", "ratio",
        CHANGE_WINDOW, 2,
    ),
    Signal(
        SignalKey.REOPENED_INCIDENTS, D, 6, linear(0.25, 0.02), closures, share,
        "Reopened incidents ÷ closed ones.", "share", 90 * DAY, 5,
    ),
    Signal(
        SignalKey.HOURS_DELIVERED, D, 6,
        Curve(((0.80, 0), (0.97, 100), (1.05, 100), (1.25, 0))), shift_hours, share,
        "Hours staffed ÷ hours planned, of shifts that are over.", "share", 60 * DAY,
    ),
    Signal(
        SignalKey.PROMISES_KEPT, D, 6, linear(0.90, 0.99), verdicts, wilson_low,
        "Lower bound of the Wilson interval (95 %) of the share of promises kept.", "share",
        90 * DAY, 5,
    ),
)  # fmt: skip
