"""Signals: what each one is, and how its value at an instant follows from dated numbers."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.health.curves import Curve
from domain.health.facts import DAY, AccountFacts, Point
from domain.health.scoring import SignalFreshness

STALE_FOR = 180 * DAY
"""How long a value without new facts counts as stale."""
MOST_EVIDENCE = 20
"""How many facts a reading names, the latest ones."""


class SignalCategory(StrEnum):
    """Part of the relationship that a signal is about."""

    ENGAGEMENT = "engagement"
    DELIVERY = "delivery"
    BUSINESS = "business"
    RELATIONSHIP = "relationship"


class SignalKey(StrEnum):
    """Signal of the health of a relationship."""

    MEETING_ATTENDANCE = "meeting_attendance"
    REPLY_TIME = "reply_time"
    SURVEY_RESPONSE = "survey_response"
    TONE = "tone"
    CHAMPION_CONTACT = "champion_contact"
    APPROVALS_ON_TIME = "approvals_on_time"
    CHANGES_OF_TERMS = "changes_of_terms"
    REOPENED_INCIDENTS = "reopened_incidents"
    HOURS_DELIVERED = "hours_delivered"
    PROMISES_KEPT = "promises_kept"
    BUDGET = "budget"
    ORGANISATION = "organisation"
    COMPETITION = "competition"
    FUTURE_PLANS = "future_plans"
    PAYMENT = "payment"
    RECOMMENDATION = "recommendation"
    EXECUTIVE_ACCESS = "executive_access"
    CONTACT_STRENGTH = "contact_strength"
    CANDID_FEEDBACK = "candid_feedback"
    RESOLVED_CONFLICTS = "resolved_conflicts"
    ADVOCACY = "advocacy"
    GROUP_USAGE = "group_usage"
    GROUP_ENGAGEMENT = "group_engagement"
    GROUP_SATISFACTION = "group_satisfaction"
    GROUP_SUPPORT = "group_support"
    GROUP_FINANCE = "group_finance"
    GROUP_RISK = "group_risk"
    GROUP_GROWTH = "group_growth"
    GROUP_ADVOCACY = "group_advocacy"


Figure = Callable[[Sequence[Point], Sequence[Point], datetime], float | None]
"""The figure of points in the window, of all points up to an instant, and the instant."""


@dataclass(frozen=True, slots=True)
class SignalReading:
    """What a signal says at an instant; `value` in millionths of a point, as it was when it was fresh last."""

    state: SignalFreshness
    value: int = 0
    figure: float | None = None
    n: int = 0
    as_of: datetime | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal: its points, and the figure that the curve turns into a value.

    `window` None: every point counts, as far back as it lies. `at_most` limits it to the latest points. One that
    `counts_once_known` has no weight while it has no value, so that whoever lacks it is not less certain.
    """

    key: SignalKey
    category: SignalCategory
    weight: int
    curve: Curve
    points: Callable[[AccountFacts], Sequence[Point]]
    figure: Figure
    words: str
    unit: str
    window: timedelta | None = None
    fewest: int = 1
    at_most: int | None = None
    counts_once_known: bool = False

    def read(self, facts: AccountFacts, curve: Curve | None = None) -> SignalReading:
        """Return the value at the instant of the facts: fresh, or from when it was fresh last; by another curve."""
        at, known = facts.at, sorted(self.points(facts))
        known = [point for point in known if point.at <= at]
        if len(known) < self.fewest:
            return SignalReading(SignalFreshness.MISSING, n=len(known))
        inside, when, state = known, at, SignalFreshness.FRESH
        if self.window is not None:
            begin = at - self.window
            inside = [point for point in known if point.at > begin]
            if len(inside) < self.fewest:
                oldest = known[-self.fewest].at
                inside = [point for point in known if point.at >= oldest]
                when = oldest + self.window
                state = SignalFreshness.STALE if at - when <= STALE_FOR else SignalFreshness.LAPSED
        if self.at_most is not None:
            inside = inside[-self.at_most :]
        figure = self.figure(inside, known, when)
        if figure is None:
            return SignalReading(SignalFreshness.MISSING, n=len(inside))
        evidence = tuple(dict.fromkeys(point.fact for point in inside))[-MOST_EVIDENCE:]
        value = (curve or self.curve).value(figure)
        return SignalReading(state, value, figure, len(inside), inside[-1].at, evidence)


def mean(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the weighted mean of the numbers."""
    total = sum(point.weight for point in inside)
    return sum(point.number * point.weight for point in inside) / total if total > 0 else None


def share(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the sum of the numbers ÷ the sum of the weights."""
    total = sum(point.weight for point in inside)
    return sum(point.number for point in inside) / total if total > 0 else None


def count(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the sum of the numbers."""
    return sum(point.number for point in inside)


def last(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the latest number."""
    return inside[-1].number


def days_since(inside: Sequence[Point], _known: Sequence[Point], at: datetime) -> float | None:
    """Return the days since the latest point."""
    return (at - inside[-1].at) / DAY


def lowest(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the lowest number."""
    return min(point.number for point in inside)


def evidence_of(readings: Collection[SignalReading]) -> list[int]:
    """Return the facts that readings name, each once, in order."""
    return sorted({fact for reading in readings for fact in reading.evidence})
