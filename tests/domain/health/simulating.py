"""Simulated histories of clients: facts that follow a hidden cause with noise, week by week."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID

from domain.health.facts import DAY, AccountFacts, HealthFact, KnownContact
from domain.health.observed import ObservationKind

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKS, FIRST_CAUSE, LAST_CAUSE = 104, 40, 70
SURVEY = str(UUID(int=9))
PEOPLE = [str(UUID(int=n)) for n in (1, 2, 3)]
HISTORY = [
    KnownContact(BEGIN, UUID(who), power, 4, n)
    for n, (who, power) in enumerate(zip(PEOPLE, (5, 3, 2), strict=True))
]
K = ObservationKind


class Cause(StrEnum):
    """Why a client is at risk; nobody in the simulation sees it."""

    NONE = "none"
    SERVICE = "service"
    PEOPLE = "people"
    MONEY = "money"
    RIVAL = "rival"


@dataclass
class History:
    """One client: its facts by kind, and the truth about it. `left` is the week in which it leaves."""

    random: Random
    cause: Cause
    begins: int
    ends: int  # week in which the cause is over, or the client leaves
    leaves: bool
    by_kind: dict[str, list[HealthFact]] = field(default_factory=dict)
    numbers: int = 100

    @property
    def left(self) -> int | None:
        """The week in which the client leaves."""
        return self.ends if self.leaves else None

    def strain(self, week: int, cause: Cause) -> float:
        """Return how strongly a cause acts in a week: it grows over eight weeks, 0 to 1."""
        if self.cause is not cause or not self.begins <= week < self.ends:
            return 0.0
        return min(1.0, (week - self.begins + 1) / 8)

    def add(self, kind: str, at: datetime, subject: UUID | None = None, **body: Any) -> UUID:
        """Add a fact; facts of a kind stay in the order of time."""
        self.numbers += 1
        subject = subject or UUID(int=self.random.getrandbits(128))
        actor = f"user:{self.random.choice('ab')}"
        fact = HealthFact(self.numbers, kind, at, subject, actor, body)
        insort(self.by_kind.setdefault(kind, []), fact, key=lambda each: (each.at, each.number))
        return subject

    def saw(
        self,
        what: ObservationKind,
        at: datetime,
        value: int | None = None,
        total: int | None = None,
        contact: str | None = None,
    ) -> None:
        """Add an observation."""
        self.add(
            "observation.recorded",
            at,
            observed=str(what),
            value=value,
            total=total,
            contact_id=contact,
            note=None,
        )

    def maybe(self, share: float) -> bool:
        """Return whether something of a probability happens."""
        return self.random.random() < share

    def known(self, at: datetime) -> AccountFacts:
        """Return the facts up to an instant that is not before the last fact's week."""
        kinds = {
            kind: [fact for fact in facts if fact.at <= at] for kind, facts in self.by_kind.items()
        }
        return AccountFacts(at, kinds, HISTORY, {(SURVEY, "recommend"): "nps"})


def histories(count: int, seed: int) -> Iterator[History]:
    """Return clients: of ten, seven have no cause; two of the others leave, and one recovers."""
    for number in range(count):
        random = Random(f"{seed} {number}")
        cause = (
            random.choice([each for each in Cause if each is not Cause.NONE])
            if number % 10 < 3
            else Cause.NONE
        )
        begins = random.randint(FIRST_CAUSE, LAST_CAUSE)
        leaves = number % 10 < 2
        lasts = random.randint(14, 30) if leaves else random.randint(8, 16)
        yield History(random, cause, begins, begins + lasts, leaves)


def live(one: History, week: int) -> None:
    """Add the facts of one week."""
    for part in (_letters, _meetings, _service, _money, _talks, _surveys):
        part(one, week, BEGIN + week * WEEK)


def _letters(one: History, week: int, at: datetime) -> None:
    """A letter or two, which the client answers the later the more its people or a rival draw away."""
    slow = 1 + 1.5 * one.strain(week, Cause.PEOPLE) + one.strain(week, Cause.RIVAL)
    for day in (1, 3):
        who = one.random.choice(PEOPLE[:2])
        letter = one.add("message.sent", at + day * DAY, contact_id=who)
        if one.maybe(0.7):
            hours = min(90.0, one.random.lognormvariate(1.0, 0.8) * slow)
            one.add(
                "message.answered",
                at + day * DAY + timedelta(hours=hours),
                letter,
                contact_id=who,
                automatic=False,
            )
    if one.maybe(0.3):
        low = max(one.strain(week, Cause.SERVICE), one.strain(week, Cause.PEOPLE))
        one.saw(
            K.CLIENT_WROTE,
            at + 2 * DAY,
            max(3, round(one.random.gauss(60, 20) * (1 - 0.4 * low))),
            None,
            PEOPLE[0],
        )
        tone = one.random.gauss(30 - 60 * one.strain(week, Cause.SERVICE) - 20 * low, 25)
        one.saw(K.TONE, at + 2 * DAY, max(-100, min(100, round(tone))), None, PEOPLE[0])


def _meetings(one: History, week: int, at: datetime) -> None:
    """A meeting each month, a touchpoint each quarter, and the departure of a key contact."""
    away = max(one.strain(week, Cause.PEOPLE), one.strain(week, Cause.RIVAL))
    if week % 4 == 0:
        if one.maybe(0.05 + 0.4 * away):
            one.add("meeting.cancelled", at + DAY, by_client=True)
        else:
            came = sum(one.maybe(0.9 - 0.3 * away) for _ in range(4))
            one.add(
                "meeting.held",
                at + DAY,
                attended=came,
                invited=4,
                contact_ids=PEOPLE[: min(came, 3)],
            )
    if week % 13 == 2:
        due = (at + 3 * DAY).date().isoformat()
        one.add(
            "touchpoint.made",
            at + 2 * DAY,
            contact_id=one.random.choice(PEOPLE[: 2 if away > 0.5 else 3]),
            touchpoint_kind="check_in",
            due_on=due,
        )
    if one.cause is Cause.PEOPLE and week == one.begins + 3 and one.maybe(0.7):
        one.saw(K.CONTACT_LEFT, at + 4 * DAY, contact=PEOPLE[0])
    if one.cause is not Cause.PEOPLE and one.maybe(0.002):  # people leave elsewhere as well
        one.saw(K.CONTACT_LEFT, at + 4 * DAY, contact=PEOPLE[0])
        one.saw(K.SUCCESSION, at + 40 * DAY, contact=PEOPLE[0])


def _service(one: History, week: int, at: datetime) -> None:
    """Shifts, incidents and their promises, which break more often under the cause."""
    strain = one.strain(week, Cause.SERVICE)
    begin = at + DAY
    shift = one.add(
        "shift.published",
        at,
        from_at=begin.isoformat(),
        until_at=(begin + 40 * timedelta(hours=1)).isoformat(),
    )
    hours = min(40.0, one.random.gauss(39.3 - 2.5 * strain, 0.8))
    one.add(
        "shift.ended",
        at + 4 * DAY,
        shift,
        started_at=begin.isoformat(),
        ended_at=(begin + timedelta(hours=hours)).isoformat(),
    )
    for _ in range(one.random.randint(0, 2)):
        when = at + one.random.random() * 5 * DAY
        incident = one.add(
            "incident.opened", when, priority=one.random.choice(("critical", "high", "low", "low"))
        )
        done = when + timedelta(hours=one.random.expovariate(1 / (6 + 20 * strain)))
        one.add("incident.resolved", done, incident)
        one.add("incident.closed", done, incident)
        if one.maybe(0.02 + 0.15 * strain):
            one.add("incident.reopened", done + timedelta(hours=8), incident)
            one.add("incident.resolved", done + timedelta(hours=20), incident)
            one.add("incident.closed", done + timedelta(hours=20), incident)
        if one.maybe(0.01 + 0.10 * strain):
            one.add("escalation.stepped", when + timedelta(hours=2), incident_id=str(incident))
        for _ in range(4):
            late = one.maybe(0.01 + 0.08 * strain)
            one.add("promise.breached" if late else "promise.kept", when + timedelta(hours=1))


def _money(one: History, week: int, at: datetime) -> None:
    """An invoice each month, paid some days late."""
    if week % 4 != 1:
        return
    due = at + 30 * DAY
    bill = one.add("invoice.issued", at, gross_cents=100_000, due_on=due.date().isoformat())
    days = max(0.0, one.random.gauss(3, 5) + 25 * one.strain(week, Cause.MONEY))
    if one.maybe(0.01):
        days += 25
    paid = due + round(days) * DAY
    one.add("invoice.paid", paid, bill, amount_cents=100_000, paid_on=paid.date().isoformat())


def _talks(one: History, week: int, at: datetime) -> None:
    """What the account manager hears in a talk each month, and does not always write down."""
    if week % 4 != 3 or one.maybe(0.4):
        return
    poor, rival = one.strain(week, Cause.MONEY), one.strain(week, Cause.RIVAL)
    when = at + 2 * DAY
    one.saw(K.BUDGET, when, one.random.choice((0, 20)) if one.maybe(0.5 * poor + 0.03) else 70)
    one.saw(K.COMPETITION, when, 1 if one.maybe(0.6 * rival + 0.04) else 0)
    one.saw(K.APPROVAL, when, 0 if one.maybe(0.05 + 0.4 * max(poor, rival)) else 1)
    gone = max(poor, rival)
    one.saw(K.FUTURE_PLANS, when, 20 if one.maybe(0.1 + 0.5 * gone) else 60)
    if one.maybe(0.03 + 0.4 * poor):
        one.saw(K.SCOPE_QUESTIONED, when)
    if one.maybe(0.005 + 0.1 * poor):
        one.saw(K.LEGAL_INVOLVED, when)
    if week % 12 == 3 and not one.maybe(one.strain(week, Cause.PEOPLE)):
        one.saw(K.EXECUTIVE_MEETING, when, contact=PEOPLE[0])


def _surveys(one: History, week: int, at: datetime) -> None:
    """A survey each quarter, which unhappy people answer less often and lower."""
    if week % 13 != 5:
        return
    unhappy = max(one.strain(week, each) for each in Cause if each is not Cause.NONE)
    bad = one.strain(week, Cause.SERVICE)
    for who in PEOPLE:
        one.add(
            "survey.asked",
            at,
            survey_id=SURVEY,
            contact_id=who,
            closes_at=(at + 14 * DAY).isoformat(),
        )
        if one.maybe(0.6 - 0.3 * unhappy):
            number = one.random.gauss(8.6 - 3 * bad - 1 * unhappy, 1.0)
            one.add(
                "survey.answered",
                at + 3 * DAY,
                survey_id=SURVEY,
                contact_id=who,
                numbers={"recommend": max(0, min(10, round(number)))},
                words=None,
            )
