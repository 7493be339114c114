"""Signals of the relationship: recommendation, access to executives, strength, candour and resolved conflicts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.health.curves import linear
from domain.health.engagement import RECOMMENDED, invitations
from domain.health.facts import DAY, AccountFacts, Point
from domain.health.observed import ObservationKind
from domain.health.signals import Signal, SignalCategory, SignalKey, count, days_since, mean

K = ObservationKind
NPS = "nps"
EXECUTIVE = 5
"""Decision power of an executive."""


def recommendations(facts: AccountFacts) -> list[Point]:
    """Return the answers from 0 to 10 to how likely the client recommends the company, as corrected last."""
    found: dict[UUID, Point] = {}
    for fact in facts.of("survey.answered", "survey.corrected"):
        numbers = fact.body["numbers"] if fact.kind == "survey.answered" else fact.body["after"]
        asked = fact.body["survey_id"]
        scale = [
            number for key, number in sorted(numbers.items())
            if facts.scales.get((asked, key)) == NPS and 0 <= number <= 10
        ]  # fmt: skip
        first = found.get(fact.subject_id)
        about = first.about if first is not None else _contact(fact.body.get("contact_id"))
        if scale:
            found[fact.subject_id] = Point(
                fact.at, fact.number, sum(scale) / len(scale), 1.0, about
            )
        elif first is not None:
            del found[fact.subject_id]
    return [*found.values()]


def _contact(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def mean_of_last(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the mean of each contact's last answer; answers without a name count once each."""
    named = {point.about: point.number for point in inside if point.about is not None}
    counted = [*named.values(), *(point.number for point in inside if point.about is None)]
    return sum(counted) / len(counted)


def executive_meetings(facts: AccountFacts) -> list[Point]:
    """Return the meetings with an executive: observed, a touchpoint or a meeting with decision power 5."""
    executives = {each.id for each in facts.contacts if each.decision_power >= EXECUTIVE}
    met = [
        fact
        for fact in facts.of("touchpoint.made")
        if _contact(fact.body["contact_id"]) in executives
    ]
    met += [
        fact
        for fact in facts.of("meeting.held")
        if executives & {UUID(contact) for contact in fact.body["contact_ids"]}
    ]
    return [
        Point(fact.at, fact.number, 1.0) for fact in [*facts.observed(K.EXECUTIVE_MEETING), *met]
    ]


def strengths(facts: AccountFacts) -> list[Point]:
    """Return the strength of the relationship with each contact, weighted by decision power."""
    gone = {UUID(fact.body["contact_id"]) for fact in facts.observed(K.CONTACT_LEFT)}
    return [
        Point(each.at, each.fact, each.relationship_strength, each.decision_power, each.id)
        for each in facts.contacts
        if each.fact is not None and each.id not in gone
    ]


def candour(facts: AccountFacts) -> list[Point]:
    """Return invitations to say something (0), and what was said openly (1): words in answers, and observations."""
    asked = [point._replace(number=0.0) for point in invitations(facts)]
    said = [fact for fact in facts.of("survey.answered") if fact.body["words"]]
    open_ones = [*said, *facts.observed(K.CANDID_FEEDBACK)]
    return [*asked, *(Point(fact.at, fact.number, 1.0) for fact in open_ones)]


def conflicts(facts: AccountFacts) -> list[Point]:
    """Return how recovery cases and disputes ended; the number is 1 when the client was satisfied.

    A case that was reopened did not satisfy in that round; a dispute satisfies when the verdict changed.
    """
    ends = facts.of("recovery.closed", "recovery.reopened")
    decided = facts.of("promise.dispute_decided")
    return [
        *(Point(fact.at, fact.number, float(fact.kind == "recovery.closed")) for fact in ends),
        *(Point(fact.at, fact.number, float(fact.body["changed"])) for fact in decided),
    ]


def advocacy(facts: AccountFacts) -> list[Point]:
    """Return the times that the client recommended the company to others, or let a case study be published."""
    withdrawn = {fact.subject_id for fact in facts.of("case_study.withdrawn")}
    shown = [f for f in facts.of("case_study.published") if f.subject_id not in withdrawn]
    done = [*facts.of(*RECOMMENDED), *shown, *facts.observed(K.REFERRAL)]
    return [Point(fact.at, fact.number, 1.0) for fact in done]


R = SignalCategory.RELATIONSHIP
SIGNALS = (
    Signal(
        SignalKey.RECOMMENDATION, R, 3, linear(4, 9.5), recommendations, mean_of_last,
        "Mean of each contact's last answer, 0 to 10, to how likely it recommends the company.", "points of 10",
        365 * DAY,
    ),
    Signal(
        SignalKey.EXECUTIVE_ACCESS, R, 3, linear(365, 90), executive_meetings, days_since,
        "Days since an executive of the client met one of the company.", "days",
    ),
    Signal(
        SignalKey.CONTACT_STRENGTH, R, 3, linear(1, 5), strengths, mean,
        "Strength of the relationship with each contact, 1 to 5, weighted by decision power.", "points of 5",
        365 * DAY, 2,
    ),
    Signal(
        SignalKey.CANDID_FEEDBACK, R, 3, linear(0, 2), candour, count,
        "Suggestions and criticism that the client gave openly.", "count", 180 * DAY,
    ),
    Signal(
        SignalKey.RESOLVED_CONFLICTS, R, 3, linear(0.3, 1), conflicts, mean,
        "Recovery cases and disputes that ended with a satisfied client ÷ all.", "share", 365 * DAY,
    ),
    Signal(
        SignalKey.ADVOCACY, R, 3, linear(0, 1), advocacy, count,
        "Referrals, reference calls and published case studies of the client; counts once there is one.",
        "count", 730 * DAY, counts_once_known=True,
    ),
)  # fmt: skip
