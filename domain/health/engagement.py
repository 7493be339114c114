"""Signals of engagement: whether people of the client come, reply, answer, speak kindly, and keep in touch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from statistics import median
from uuid import UUID

from domain.health.curves import linear
from domain.health.facts import DAY, AccountFacts, HealthFact, Point, points_of
from domain.health.observed import ObservationKind
from domain.health.signals import Signal, SignalCategory, SignalKey, days_since, mean, share

K = ObservationKind
REPLY_WINDOW, REPLY_BASE = 60 * DAY, 180 * DAY
MINUTE = 60.0
CHAMPION_KINDS = ("champion.named", "champion.ended")
RECOMMENDED = ("referral.made", "reference_call.held")
"""Facts by which a client recommended the company, with the contact who did so where known."""
CORRECTED = {"negative": -0.6, "neutral": 0.0, "positive": 0.6}
"""Polarity that a label by a person counts for: the ends and the middle of the curve."""


def meetings(facts: AccountFacts) -> list[Point]:
    """Return the people who attended each meeting, of those invited; nobody attended a cancelled one."""
    held = points_of(facts.observed(K.MEETING), among="total")
    held += points_of(facts.of("meeting.held"), "attended", among="invited")
    called_off = [*facts.observed(K.MEETING_CANCELLED), *cancelled_by_client(facts)]
    return sorted([*held, *(Point(fact.at, fact.number, 0.0, 1.0) for fact in called_off)])


def cancelled_by_client(facts: AccountFacts) -> list[HealthFact]:
    """Return the planned meetings that the client cancelled."""
    return [fact for fact in facts.of("meeting.cancelled") if fact.body["by_client"]]


def replies(facts: AccountFacts) -> list[Point]:
    """Return the minutes from a letter to the client's reply to it; an automatic reply is none."""
    sent: dict[UUID, datetime] = {}
    for fact in facts.of("message.sent"):
        if fact.body["contact_id"] is not None:
            sent.setdefault(fact.subject_id, fact.at)
    answered = [
        Point(fact.at, fact.number, (fact.at - sent[fact.subject_id]).total_seconds() / MINUTE)
        for fact in human_answers(facts)
        if fact.subject_id in sent and fact.at >= sent[fact.subject_id]
    ]
    return sorted([*answered, *points_of(facts.observed(K.REPLY))])


def human_answers(facts: AccountFacts) -> list[HealthFact]:
    """Return the replies of contacts that people wrote, the first to each letter."""
    first: dict[UUID, HealthFact] = {}
    for fact in facts.of("message.answered"):
        if fact.body["contact_id"] is not None and not fact.body["automatic"]:
            first.setdefault(fact.subject_id, fact)
    return [*first.values()]


def slowdown(inside: Sequence[Point], known: Sequence[Point], at: datetime) -> float | None:
    """Return the median time to reply ÷ the median of the 180 days before; 1 without three replies before."""
    begin = at - REPLY_WINDOW
    before = [point.number for point in known if begin - REPLY_BASE < point.at <= begin]
    now = median(point.number for point in inside)
    if len(before) < 3:
        return None
    usual = median(before)
    return now / usual if usual > 0 else (1.0 if now == 0 else 100.0)


def invitations(facts: AccountFacts) -> list[Point]:
    """Return the invitations to surveys that were not withdrawn; the number is 1 for an answered one.

    An answer belongs to the latest invitation of its survey and contact before it; an anonymous one to anybody's.
    """
    gone = {fact.subject_id for fact in facts.of("survey.withdrawn")}
    asked = [fact for fact in facts.of("survey.asked") if fact.subject_id not in gone]
    answered: set[int] = set()
    for answer in facts.of("survey.answered"):
        mine = [n for n, each in enumerate(asked) if n not in answered and _answers(answer, each)]
        answered.update(mine[-1:])
    return [
        Point(each.at, each.number, float(n in answered), 1.0, UUID(each.body["contact_id"]))
        for n, each in enumerate(asked)
    ]


def _answers(answer: HealthFact, asked: HealthFact) -> bool:
    if answer.body["survey_id"] != asked.body["survey_id"] or answer.at < asked.at:
        return False
    return answer.body["contact_id"] in (None, asked.body["contact_id"])


def tones(facts: AccountFacts) -> list[Point]:
    """Return the tone of conversations, and the polarity of what the client wrote, from -1 to 1."""
    said = [each._replace(number=each.number / 100) for each in points_of(facts.observed(K.TONE))]
    return sorted([*said, *written(facts)])


def written(facts: AccountFacts) -> list[Point]:
    """Return the polarity of the client's answers and updates, as they were written and corrected last.

    Public reviews are not counted: they need not be by a contact of the client.
    """
    corrected: dict[UUID, int] = {}
    for fact in facts.of("survey.corrected"):
        corrected[fact.subject_id] = max(fact.number, corrected.get(fact.subject_id, 0))
    found: dict[UUID, Point] = {}
    for fact in facts.of("sentiment.read", "sentiment.corrected"):
        wrote = datetime.fromisoformat(fact.body["written_at"])
        if fact.kind == "sentiment.corrected":
            if fact.subject_id in found:
                number = CORRECTED[fact.body["after"]["label"]]
                found[fact.subject_id] = Point(wrote, fact.number, number)
        elif fact.body["review_id"] is None and not _is_replaced(fact, corrected):
            found[fact.subject_id] = Point(wrote, fact.number, fact.body["polarity"] / 1e6)
    return [*found.values()]


def _is_replaced(fact: HealthFact, corrected: Mapping[UUID, int]) -> bool:
    """Return whether the respondent wrote something else after this text was read."""
    response = fact.body["response_id"]
    return response is not None and corrected.get(UUID(response), 0) > fact.number


def champions(facts: AccountFacts) -> set[UUID]:
    """Return the contacts who speak up for the company: the last word about each one decides."""
    found: set[UUID] = set()
    said = [*facts.observed(K.CHAMPION, K.CONTACT_LEFT), *facts.of(*CHAMPION_KINDS)]
    for fact in sorted(said, key=lambda each: (each.at, each.number)):
        contact = UUID(fact.body["contact_id"])
        observed = fact.body.get("observed") == K.CHAMPION and fact.body["value"] == 1
        if observed or fact.kind == "champion.named":
            found.add(contact)
        else:
            found.discard(contact)
    return found


def contacts_made(facts: AccountFacts) -> list[Point]:
    """Return every time a contact of the client wrote, answered or was met."""
    made = chain(
        facts.of("touchpoint.made", "survey.answered", "champion.named", *RECOMMENDED),
        human_answers(facts),
        facts.observed(K.MEETING, K.EXECUTIVE_MEETING, K.CLIENT_WROTE, K.REPLY, K.TONE, K.CHAMPION),
    )
    met = (
        Point(fact.at, fact.number, 1.0, 1.0, UUID(contact))
        for fact in facts.of("meeting.held")
        for contact in fact.body["contact_ids"]
    )
    alone = (
        Point(fact.at, fact.number, 1.0, 1.0, UUID(fact.body["contact_id"]))
        for fact in made
        if fact.body["contact_id"] is not None
    )
    return sorted([*alone, *met])


def champions_heard(facts: AccountFacts) -> list[Point]:
    """Return every time one of today's champions wrote, answered or was met."""
    who = champions(facts)
    return [point for point in contacts_made(facts) if point.about in who]


E = SignalCategory.ENGAGEMENT
SIGNALS = (
    Signal(
        SignalKey.MEETING_ATTENDANCE, E, 6, linear(0.4, 0.9), meetings, share,
        "People of the client who attended meetings ÷ those invited.", "share", 180 * DAY, 2,
    ),
    Signal(
        SignalKey.REPLY_TIME, E, 6, linear(3, 1), replies, slowdown,
        "Median time of the client to reply ÷ its own median of the 180 days before.", "ratio",
        REPLY_WINDOW, 3,
    ),
    Signal(
        SignalKey.SURVEY_RESPONSE, E, 6, linear(0, 0.5), invitations, share,
        "Answers to surveys ÷ invitations.", "share", 180 * DAY, 3,
    ),
    Signal(
        SignalKey.TONE, E, 6, linear(-0.6, 0.6), tones, mean,
        "Mean tone of conversations, answers and updates of the client, from -1 to 1.", "tone", 90 * DAY, 3,
    ),
    Signal(
        SignalKey.CHAMPION_CONTACT, E, 6, linear(90, 14), champions_heard, days_since,
        "Days since a champion of the client wrote, answered or was met.", "days",
    ),
)  # fmt: skip
