"""Signals: what they read from facts, in any order, and when they are fresh, stale or lapsed."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.health.facts import AccountFacts, HealthFact, KnownContact
from domain.health.observed import ObservationKind
from domain.health.registry import BY_KEY, SIGNALS, read_account, score_all
from domain.health.scoring import POINT, SignalFreshness
from domain.health.signals import SignalKey, SignalReading

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
K, S = ObservationKind, SignalKey
AN, BO = (str(uuid4()) for _ in range(2))
SURVEY = str(uuid4())


class Log:
    """Facts of one account."""

    def __init__(self) -> None:
        self.facts: list[HealthFact] = []

    def add(self, kind: str, days_ago: float, subject: UUID | None = None, **body: Any) -> UUID:
        subject = subject or uuid4()
        number = len(self.facts) + 1
        self.facts.append(HealthFact(number, kind, NOW - days_ago * DAY, subject, "user:x", body))
        return subject

    def saw(
        self, observed: ObservationKind, days_ago: float, value: int | None = None, total: int | None = None,
        contact: str | None = None,
    ) -> UUID:  # fmt: skip
        return self.add(
            "observation.recorded", days_ago,
            observed=str(observed), value=value, total=total, contact_id=contact, note=None,
        )  # fmt: skip

    def known(self, at: datetime = NOW, *, shuffled: bool = False) -> AccountFacts:
        facts = [fact for fact in self.facts if fact.at <= at]
        facts.sort(key=lambda fact: (fact.at, fact.number))
        if shuffled:
            random.Random(5).shuffle(facts)
        kinds: dict[str, list[HealthFact]] = {}
        for fact in facts:
            kinds.setdefault(fact.kind, []).append(fact)
        return AccountFacts(at, kinds, HISTORY, {(SURVEY, "recommend"): "nps"})

    def read(self, key: SignalKey, at: datetime = NOW) -> SignalReading:
        return BY_KEY[key].read(self.known(at))


HISTORY = [
    KnownContact(NOW - 300 * DAY, UUID(AN), 5, 2, 900),
    KnownContact(NOW - 100 * DAY, UUID(AN), 5, 4, 901),
    KnownContact(NOW - 200 * DAY, UUID(BO), 2, 3, 902),
]


@pytest.fixture
def log() -> Log:
    return Log()


def value(reading: SignalReading) -> float:
    assert reading.state is SignalFreshness.FRESH, reading
    return reading.value / POINT


def test_attendance_counts_a_cancelled_meeting_as_nobody(log: Log) -> None:
    log.saw(K.MEETING, 30, 8, 9)
    log.saw(K.MEETING_CANCELLED, 10)
    assert log.read(S.MEETING_ATTENDANCE).figure == 0.8
    assert value(log.read(S.MEETING_ATTENDANCE)) == 80


def test_replies_are_compared_with_the_clients_own_habit(log: Log) -> None:
    for days in (100, 110, 120):
        letter = log.add("message.sent", days, contact_id=AN)
        log.add("message.answered", days - 1 / 24, letter, contact_id=AN, automatic=False)
    for days in (10, 20, 30):
        letter = log.add("message.sent", days, contact_id=AN)
        log.add("message.answered", days - 2 / 24, letter, contact_id=AN, automatic=False)
        log.add("message.answered", days - 3 / 24, letter, contact_id=AN, automatic=False)
    machine = log.add("message.sent", 5, contact_id=AN)
    log.add("message.answered", 4, machine, contact_id=AN, automatic=True)
    assert log.read(S.REPLY_TIME).figure == pytest.approx(2)
    assert value(log.read(S.REPLY_TIME)) == pytest.approx(50)


def test_tone_follows_what_the_client_wrote_as_it_stands_now(log: Log) -> None:
    def wrote(days: float, polarity: float, **more: Any) -> UUID:
        body = {"response_id": None, "review_id": None, "polarity": round(1e6 * polarity)} | more
        at = (NOW - (days + 0.1) * DAY).isoformat()
        return log.add("sentiment.read", days, written_at=at, **body)

    wrote(10, -0.3)
    response = uuid4()
    wrote(9, -0.9, response_id=str(response))  # replaced by the next two
    log.add("survey.corrected", 8, response, after={})
    wrote(7, 0.3, response_id=str(response))
    wrote(6, -1.0, review_id=str(uuid4()))  # anybody can write a review
    log.saw(K.TONE, 5, 60)
    assert log.read(S.TONE).figure == pytest.approx(0.2)
    text = wrote(4, 0.9)
    at = (NOW - 4 * DAY).isoformat()
    log.add("sentiment.corrected", 1, text, written_at=at, after={"label": "negative"})
    assert log.read(S.TONE).figure == pytest.approx(0.0)
    assert BY_KEY[S.TONE].read(log.known(shuffled=True)).n == 4


def test_survey_answers_are_shared_among_invitations(log: Log) -> None:
    asked = [
        log.add("survey.asked", days, survey_id=SURVEY, contact_id=contact)
        for days, contact in ((30, AN), (29, BO), (28, AN), (27, BO))
    ]
    log.add("survey.withdrawn", 26, asked[-1])
    log.add("survey.answered", 25, survey_id=SURVEY, contact_id=None, numbers={}, words=None)
    assert log.read(S.SURVEY_RESPONSE).figure == pytest.approx(1 / 3)


def test_a_champion_is_heard_by_any_contact_and_leaves_with_it(log: Log) -> None:
    assert log.read(S.CHAMPION_CONTACT).state is SignalFreshness.MISSING
    log.saw(K.CHAMPION, 100, 1, contact=AN)
    log.add("touchpoint.made", 52, contact_id=AN)
    log.add("touchpoint.made", 5, contact_id=BO)
    assert value(log.read(S.CHAMPION_CONTACT)) == pytest.approx(50)
    log.saw(K.CONTACT_LEFT, 1, contact=AN)
    assert log.read(S.CHAMPION_CONTACT).state is SignalFreshness.MISSING


def test_changes_of_terms_are_compared_with_the_year_before(log: Log) -> None:
    for days in (400, 300, 200, 100):
        log.add("agreement.amended", days)
    assert log.read(S.CHANGES_OF_TERMS).state is not SignalFreshness.FRESH
    log.add("agreement.amended", 20)
    log.add("agreement.planned", 10, before=None)
    log.add("agreement.planned", 5, before=10)
    assert log.read(S.CHANGES_OF_TERMS).figure == pytest.approx((2 / 90) / (4 / 365))


def test_a_reopened_incident_counts_against_its_closing(log: Log) -> None:
    closed = [log.add("incident.closed", days) for days in range(10, 20)]
    log.add("incident.reopened", 5, closed[-1])
    assert log.read(S.REOPENED_INCIDENTS).figure == pytest.approx(0.1)


def test_hours_are_those_of_shifts_as_corrected(log: Log) -> None:
    begin, end = NOW - 3 * DAY, NOW - 3 * DAY + 8 * HOUR
    plan = {"from_at": begin.isoformat(), "until_at": end.isoformat()}
    shift = None
    for started, ended in ((begin, end), (begin + 4 * HOUR, end), (None, None)):
        shift = log.add("shift.published", 10, None, **plan)
        log.add(
            "shift.ended", 2, shift,
            started_at=started and started.isoformat(), ended_at=ended and ended.isoformat(),
        )  # fmt: skip
    assert log.read(S.HOURS_DELIVERED).figure == pytest.approx(12 / 24)
    log.add(
        "shift.attendance_corrected", 1, shift, attendance_kind="clock_in", after=begin.isoformat()
    )
    assert log.read(S.HOURS_DELIVERED).figure == pytest.approx(20 / 24)
    assert value(log.read(S.HOURS_DELIVERED)) == pytest.approx(
        100 * (20 / 24 - 0.8) / 0.17, abs=1e-5
    )


def test_promises_count_by_their_last_verdict_and_hidden_ones_do_not(log: Log) -> None:
    promise, *_ = [log.add("promise.kept", days, internal=False) for days in range(10, 60)]
    log.add("promise.breached", 5, internal=True)
    full = log.read(S.PROMISES_KEPT)
    assert full.figure == pytest.approx(50 / (50 + 1.959963984540054**2))
    log.add("promise.revised", 3, promise, was="kept", now="late", internal=False)
    assert (log.read(S.PROMISES_KEPT).figure or 0) < (full.figure or 0)
    log.add("promise.revised", 2, promise, was="late", now="cancelled", internal=False)
    assert log.read(S.PROMISES_KEPT).n == 49


def test_payment_is_late_by_amount_and_open_invoices_count(log: Log) -> None:
    def bill(days_ago: float, due_ago: int, cents: int) -> UUID:
        due = (NOW - due_ago * DAY).date().isoformat()
        return log.add("invoice.issued", days_ago, gross_cents=cents, due_on=due)

    first, second = bill(60, 40, 300), bill(50, 20, 100)
    bill(10, -5, 1_000)  # not due yet
    paid_on = (NOW - 40 * DAY).date().isoformat()
    log.add("invoice.paid", 39, first, amount_cents=300, paid_on=paid_on)
    assert log.read(S.PAYMENT).figure == pytest.approx(20 / 4)
    log.add("invoice.paid", 1, second, amount_cents=100, paid_on=(NOW - 2 * DAY).date().isoformat())
    assert log.read(S.PAYMENT).figure == pytest.approx(18 / 4)
    log.add("invoice.payment_reversed", 0.5, second, amount_cents=100)
    assert log.read(S.PAYMENT).figure == pytest.approx(20 / 4)


def test_business_signals_follow_what_was_observed_last(log: Log) -> None:
    log.saw(K.BUDGET, 30, 0)
    log.saw(K.BUDGET, 10, 70)
    log.saw(K.FUTURE_PLANS, 10, 60)
    assert [value(log.read(each)) for each in (S.BUDGET, S.FUTURE_PLANS)] == [70, 60]
    log.saw(K.COMPETITION, 20, 0)
    assert log.read(S.COMPETITION).state is SignalFreshness.MISSING
    log.saw(K.COMPETITION, 10, 1)
    assert value(log.read(S.COMPETITION)) == 50
    log.saw(K.CONTACT_LEFT, 9, contact=AN)
    assert value(log.read(S.ORGANISATION)) == 30
    log.saw(K.SUCCESSION, 3, contact=AN)
    assert value(log.read(S.ORGANISATION)) == 60


def test_recommendation_is_the_mean_of_each_contacts_last_answer(log: Log) -> None:
    given = None
    for days, contact, number in ((90, AN, 2), (30, AN, 8), (20, BO, 9)):
        given = log.add(
            "survey.answered", days,
            survey_id=SURVEY, contact_id=contact, numbers={"recommend": number, "experience": 1}, words=None,
        )  # fmt: skip
    assert log.read(S.RECOMMENDATION).figure == 8.5
    log.add("survey.corrected", 10, given, survey_id=SURVEY, after={"recommend": 10})
    assert log.read(S.RECOMMENDATION).figure == 9


def test_contacts_are_as_they_were(log: Log) -> None:
    assert log.read(S.CONTACT_STRENGTH).figure == pytest.approx((4 * 5 + 3 * 2) / 7)
    assert log.read(S.CONTACT_STRENGTH, NOW - 150 * DAY).figure == pytest.approx(
        (2 * 5 + 3 * 2) / 7
    )
    log.add("touchpoint.made", 90, contact_id=AN)
    log.add("touchpoint.made", 10, contact_id=BO)
    assert log.read(S.EXECUTIVE_ACCESS).figure == 90


def test_conflicts_count_by_their_end_and_candour_by_what_was_said(log: Log) -> None:
    case = log.add("recovery.closed", 30, round=1)
    log.add("recovery.reopened", 20, case, round=2)
    log.add("promise.dispute_decided", 10, changed=True)
    assert log.read(S.RESOLVED_CONFLICTS).figure == pytest.approx(2 / 3)
    log.add("survey.asked", 9, survey_id=SURVEY, contact_id=AN)
    assert value(log.read(S.CANDID_FEEDBACK)) == 0
    log.saw(K.CANDID_FEEDBACK, 5)
    assert value(log.read(S.CANDID_FEEDBACK)) == 50


def test_a_signal_becomes_stale_then_lapsed_with_its_last_fresh_value(log: Log) -> None:
    for days in (80, 60, 40):
        log.saw(K.TONE, days, 60)
    assert log.read(S.TONE).state is SignalFreshness.FRESH
    edge = NOW + 10 * DAY  # the oldest of the three leaves the window of 90 days
    assert log.read(S.TONE, edge - timedelta(microseconds=1)).state is SignalFreshness.FRESH
    assert (log.read(S.TONE, edge).state, log.read(S.TONE, edge).value) == (
        SignalFreshness.STALE,
        100 * POINT,
    )
    assert log.read(S.TONE, edge + 180 * DAY).state is SignalFreshness.STALE
    assert log.read(S.TONE, edge + 181 * DAY).state is SignalFreshness.LAPSED
    log.saw(K.TONE, -200, -60)
    assert log.read(S.TONE, NOW + 201 * DAY).value == pytest.approx(100 / 6 * 4 * POINT, abs=1)


def test_the_order_of_facts_is_irrelevant(log: Log) -> None:
    rng = random.Random(11)
    for _ in range(200):
        log.saw(K.TONE, rng.randrange(300), rng.randrange(-100, 100))
        log.saw(K.MEETING, rng.randrange(300), rng.randrange(5), 5, AN)
        log.saw(K.REPLY, rng.randrange(300), rng.randrange(1000))
        log.saw(K.BUDGET, rng.randrange(300), 70)
    straight, mixed = (read_account(log.known(shuffled=each)) for each in (False, True))
    assert straight == mixed
    assert score_all([straight]).score[0] == score_all([read_account(log.known())]).score[0]


def test_a_withdrawn_observation_does_not_count(log: Log) -> None:
    seen = log.saw(K.BUDGET, 5, 0)
    log.saw(K.BUDGET, 8, 100)
    log.add("observation.withdrawn", 1, seen)
    assert value(log.read(S.BUDGET)) == 100


def test_every_signal_stands_on_the_page_with_its_curve_and_window() -> None:
    page = (Path(__file__).parents[3] / "docs" / "health.md").read_text()
    always = [each for each in SIGNALS if not each.counts_once_known]
    assert (len(SIGNALS), len(always), sum(each.weight for each in always)) == (29, 28, 100)
    for each in SIGNALS:
        curve = ", ".join(f"{x:g} → {y:g}" for x, y in each.curve.points)
        window = "any time" if each.window is None else f"{each.window.days} days"
        window = f"the last {each.at_most}" if each.at_most else window
        row = f"| `{each.key.upper()}`: {each.words} | {each.weight} | {curve} | {window}, {each.fewest} |"
        assert row in page
