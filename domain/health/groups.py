"""Signals of the eight groups of metrics: use, engagement, satisfaction, support, money, risk, growth and advocacy.

Their weight is 0 until a company switches them on by a parameter, because they read partly the same facts as others.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.health.business import payments
from domain.health.curves import linear
from domain.health.engagement import contacts_made
from domain.health.facts import DAY, AccountFacts, Point
from domain.health.observed import ObservationKind
from domain.health.relationship import recommendations
from domain.health.signals import Signal, SignalCategory, SignalKey, count, mean, share

K, C = ObservationKind, SignalCategory
QUARTER_WEEKS = 13


def weeks_used(inside: Sequence[Point], _known: Sequence[Point], at: datetime) -> float | None:
    """Return the share of the last 13 weeks with a point."""
    return len({(at - point.at) // (7 * DAY) for point in inside}) / QUARTER_WEEKS


def people(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the number of different contacts."""
    return float(len({point.about for point in inside}))


def resolutions(facts: AccountFacts) -> list[Point]:
    """Return the first resolution of each incident; the number is 1 if it took at most a day."""
    opened = {fact.subject_id: fact.at for fact in facts.of("incident.opened")}
    first = {fact.subject_id: fact for fact in reversed(facts.of("incident.resolved"))}
    return [
        Point(fact.at, fact.number, float(fact.at - opened[subject] <= DAY))
        for subject, fact in first.items()
        if subject in opened
    ]


def punctual(facts: AccountFacts) -> list[Point]:
    """Return due invoices; the number is 1 for one that was paid by its day."""
    return [each._replace(number=float(each.number == 0), weight=1.0) for each in payments(facts)]


def escalations(facts: AccountFacts) -> list[Point]:
    """Return the incidents that were opened; the number is 1 for one whose escalation reached a step."""
    reached = {fact.body["incident_id"] for fact in facts.of("escalation.stepped")}
    return [
        Point(fact.at, fact.number, float(str(fact.subject_id) in reached))
        for fact in facts.of("incident.opened")
    ]


def openings(facts: AccountFacts) -> list[Point]:
    """Return talks about what comes (0), and needs and plans that the client named (1)."""
    talks = facts.observed(K.BUDGET, K.FUTURE_PLANS)
    named = facts.observed(K.UNMET_NEED, K.PLANNING_CYCLE)
    return [
        *(Point(fact.at, fact.number, 0.0) for fact in talks),
        *(Point(fact.at, fact.number, 1.0) for fact in named),
    ]


def advocacy(facts: AccountFacts) -> list[Point]:
    """Return referrals, and consents to be named (1) or refusals (0)."""
    said = facts.observed(K.REFERRAL, K.REFERENCE_CONSENT)
    return [
        Point(fact.at, fact.number, float(fact.body["observed"] == K.REFERRAL or fact.body["value"] or 0))
        for fact in said
    ]  # fmt: skip


SIGNALS = (
    Signal(
        SignalKey.GROUP_USAGE, C.ENGAGEMENT, 0, linear(0.1, 0.7), contacts_made, weeks_used,
        "Weeks of the last 13 in which the client wrote, answered or was met ÷ 13.", "share",
        7 * QUARTER_WEEKS * DAY,
    ),
    Signal(
        SignalKey.GROUP_ENGAGEMENT, C.ENGAGEMENT, 0, linear(0, 4), contacts_made, people,
        "Different contacts of the client who wrote, answered or were met.", "count", 90 * DAY,
    ),
    Signal(
        SignalKey.GROUP_SATISFACTION, C.RELATIONSHIP, 0, linear(4, 9.5), recommendations, mean,
        "Mean of all answers, 0 to 10, to how likely the client recommends the company.", "points of 10",
        180 * DAY, 3,
    ),
    Signal(
        SignalKey.GROUP_SUPPORT, C.DELIVERY, 0, linear(0.5, 0.95), resolutions, share,
        "Incidents that were resolved within a day ÷ those resolved.", "share", 90 * DAY, 3,
    ),
    Signal(
        SignalKey.GROUP_FINANCE, C.BUSINESS, 0, linear(0.3, 1), punctual, share,
        "Invoices that were paid by their day ÷ those due.", "share", 365 * DAY, 3,
    ),
    Signal(
        SignalKey.GROUP_RISK, C.DELIVERY, 0, linear(0.3, 0), escalations, share,
        "Incidents that were escalated ÷ those opened.", "share", 90 * DAY, 3,
    ),
    Signal(
        SignalKey.GROUP_GROWTH, C.BUSINESS, 0, linear(0, 2), openings, count,
        "Unmet needs and plans that the client named.", "count", 180 * DAY,
    ),
    Signal(
        SignalKey.GROUP_ADVOCACY, C.RELATIONSHIP, 0, linear(0, 2), advocacy, count,
        "Referrals and consents to be named as a reference.", "count", 365 * DAY,
    ),
)  # fmt: skip
