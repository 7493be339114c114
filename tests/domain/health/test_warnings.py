"""Each early warning is raised by its own story, by nothing else in it, and cleared by the story's end."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.health.facts import AccountFacts, KnownContact
from domain.health.observed import ObservationKind
from domain.health.warning_input import OpenWarning, WarningInput, WarningRule
from domain.health.warning_rules import BY_RULE, RULES, raised
from tests.domain.health.test_signals import AN, BO, DAY, NOW, SURVEY, Log

K, W = ObservationKind, WarningRule
Given = Callable[[Log], WarningInput]


def given(log: Log, **more: object) -> WarningInput:
    return WarningInput(log.known(), **more)  # type: ignore[arg-type]


def replied(log: Log, days_ago: float, hours: float) -> object:
    letter = log.add("message.sent", days_ago, contact_id=AN)
    return log.add(
        "message.answered", days_ago - hours / 24, letter, contact_id=AN, automatic=False
    )


def asked(log: Log, days_ago: float, *, answered: bool) -> None:
    closes = (NOW - (days_ago - 1) * DAY).isoformat()
    log.add("survey.asked", days_ago, survey_id=SURVEY, contact_id=AN, closes_at=closes)
    if answered:
        log.add(
            "survey.answered",
            days_ago - 0.1,
            survey_id=SURVEY,
            contact_id=AN,
            numbers={},
            words=None,
        )


def ends(log: Log, days: float, agreement: UUID | None = None) -> UUID:
    until = (NOW + days * DAY).isoformat()
    return log.add("agreement.ended", 5, agreement, ended_at=until, reason="x")


def opened(log: Log, days_ago: float, priority: str = "critical") -> UUID:
    return log.add("incident.opened", days_ago, priority=priority)


def bill(log: Log, due_ago: int) -> UUID:
    due = (NOW - due_ago * DAY).date().isoformat()
    return log.add("invoice.issued", due_ago + 14, gross_cents=100, due_on=due)


def touched(log: Log, days_ago: float, late: float, actor: str = "user:x") -> object:
    due = (NOW - (days_ago + late) * DAY).date().isoformat()
    log.add("touchpoint.made", days_ago, contact_id=AN, touchpoint_kind="check_in", due_on=due)
    log.facts[-1] = log.facts[-1]._replace(actor=actor)
    return log.facts[-1]


def rated(log: Log, days_ago: float, number: int) -> object:
    return log.add(
        "survey.answered", days_ago,
        survey_id=SURVEY, contact_id=None, numbers={"recommend": number}, words=None,
    )  # fmt: skip


def slowing(log: Log) -> None:
    for day in (100, 110, 120):
        replied(log, day, 1)
    for day in (20, 30, 40):
        replied(log, day, 2)


def shorter(log: Log) -> None:
    for day in range(20):
        log.saw(K.CLIENT_WROTE, 300 - day, 100)
    for day in range(5):
        log.saw(K.CLIENT_WROTE, 200 - day, 50)


def stopped(log: Log) -> None:
    asked(log, 100, answered=True)
    for day in (30, 20, 10):
        asked(log, day, answered=False)


def escalating(log: Log) -> None:
    for _ in range(2):
        log.add("escalation.stepped", 3, incident_id=str(uuid4()))


def fell(log: Log) -> None:
    for day, number in ((100, 10), (110, 10), (120, 9), (10, 7), (20, 7), (30, 8)):
        rated(log, day, number)


RUN = uuid4()
STORIES: dict[WarningRule, tuple[Callable[[Log], object], Callable[[Log], object]]] = {
    W.RESPONSES_SLOWING: (slowing, lambda log: [replied(log, each, 0.5) for each in (3, 4, 5, 6)]),
    W.MEETINGS_CANCELLED: (
        lambda log: [log.saw(K.MEETING_CANCELLED, each) for each in (20, 10)],
        lambda log: [log.saw(K.MEETING, each, 2, 2) for each in (3, 2, 1)],
    ),
    W.MESSAGES_SHORTER: (shorter, lambda log: [log.saw(K.CLIENT_WROTE, 100, 90) for _ in range(5)]),
    W.KEY_CONTACT_CHANGED: (
        lambda log: log.saw(K.CONTACT_LEFT, 10, contact=AN),
        lambda log: log.saw(K.SUCCESSION, 2, contact=AN),
    ),
    W.BUDGET_PRESSURE: (lambda log: log.saw(K.BUDGET, 5, 20), lambda log: log.saw(K.BUDGET, 1, 70)),
    W.COMPETITOR_NAMED: (
        lambda log: log.saw(K.COMPETITION, 5, 1),
        lambda log: [log.saw(K.COMPETITION, each, 0) for each in (2, 1)],
    ),
    W.FEEDBACK_STOPPED: (stopped, lambda log: asked(log, 5, answered=True)),
    W.APPROVALS_LATE: (
        lambda log: [log.saw(K.APPROVAL, each, 0) for each in (89, 20)],
        lambda log: log.facts.pop(0),
    ),
    W.SCOPE_QUESTIONED: (
        lambda log: [log.saw(K.SCOPE_QUESTIONED, each) for each in (29, 3)],
        lambda log: log.facts.pop(0),
    ),
    W.LEGAL_ON_SMALL_MATTER: (
        lambda log: log.saw(K.LEGAL_INVOLVED, 29),
        lambda log: log.facts.pop(0),
    ),
    W.PAYMENT_LATE: (
        lambda log: [bill(log, each) for each in (15, 16)],
        lambda log: [
            log.add(
                "invoice.paid", 1, fact.subject_id, amount_cents=100, paid_on=fact.body["due_on"]
            )
            for fact in [*log.facts]
        ],
    ),
    W.SATISFACTION_FALLING: (fell, lambda log: [rated(log, each, 10) for each in range(1, 9)]),
    W.NO_FUTURE_WORK: (lambda log: ends(log, 179), lambda log: log.saw(K.FUTURE_PLANS, 1, 100)),
    W.SUPPORT_ESCALATING: (escalating, lambda log: log.facts.pop(0)),
    W.REACTIVE_ONLY: (
        lambda log: log.saw(K.CLIENT_WROTE, 5, 100),
        lambda log: touched(log, 1, 0),
    ),
    W.TIER_IGNORED: (
        lambda log: [touched(log, 20, 2), touched(log, 10, 1, "user:y")],
        lambda log: touched(log, 1, -1),
    ),
    W.CHURN_SIGNS: (
        lambda log: log.add("churn.signs_changed", 3, above=True),
        lambda log: log.add("churn.signs_changed", 1, above=False),
    ),
    W.ACTION_WITHOUT_OWNER: (
        lambda log: log.add("playbook_run.task_unowned", 3, RUN, task="call"),
        lambda log: log.add("playbook_run.task_begun", 1, RUN, task="call"),
    ),
    W.FOLLOW_THROUGH_SLOW: (
        lambda log: [
            *(log.add("commitment.done", each, late=False) for each in (9, 8, 7)),
            *(log.add("commitment.late", each) for each in (6, 5)),
        ],
        lambda log: [log.add("commitment.done", 1, late=False) for _ in range(5)],
    ),
    W.UNDOCUMENTED_CHANGE: (
        lambda log: log.add("agreement.amended", 8),
        lambda log: log.saw(K.DECISION, 1),
    ),
}
ALLOWED = {W.SINGLE_THREAD, W.NO_FUTURE_WORK}
"""What a story may raise besides: one author of all touchpoints, an agreement that ends."""


@pytest.mark.parametrize("rule", list(STORIES))
def test_a_rule_is_raised_by_its_story_with_evidence_and_cleared_by_its_end(
    rule: WarningRule,
) -> None:
    log = Log()
    assert raised(given(log)) == {}
    begin, end = STORIES[rule]
    begin(log)
    found = raised(given(log))
    assert set(found) - ALLOWED - {rule} == set()
    known = {fact.number for fact in log.facts}
    assert found[rule]
    assert set(found[rule]) <= known
    end(log)
    assert rule not in raised(given(log))


def test_a_single_detractor_is_enough() -> None:
    log = Log()
    rated(log, 10, 6)
    assert W.SATISFACTION_FALLING in raised(given(log))


def test_open_urgent_incidents_are_compared_with_the_usual_number() -> None:
    log = Log()
    for day in (170, 140, 110, 80, 50, 35):
        log.add("incident.resolved", day - 10, opened(log, day))
    first, _ = opened(log, 2), opened(log, 1)
    assert W.SUPPORT_ESCALATING in raised(given(log))
    log.add("incident.resolved", 0.5, first)
    assert W.SUPPORT_ESCALATING not in raised(given(log))
    log.add("incident.reopened", 0.2, first)
    assert W.SUPPORT_ESCALATING in raised(given(log))


def test_a_renewal_is_at_risk_only_in_a_low_band() -> None:
    log = Log()
    ends(log, 60)
    log.saw(K.FUTURE_PLANS, 1, 100)
    assert set(raised(given(log, band=2))) == {W.RENEWAL_AT_RISK}
    assert raised(given(log, band=3)) == {}


def test_a_single_thread_is_one_level_of_contacts_or_one_author() -> None:
    one = KnownContact(NOW - 300 * DAY, UUID(AN), 3, 3, 900)
    facts = AccountFacts(NOW, {}, [one, one._replace(id=UUID(BO), fact=901)])
    assert raised(WarningInput(facts)) == {W.SINGLE_THREAD: [900, 901]}
    other = AccountFacts(NOW, {}, [one, one._replace(id=UUID(BO), fact=901, decision_power=5)])
    assert raised(WarningInput(other)) == {}
    log = Log()
    touched(log, 10, 0)
    assert set(raised(given(log))) == {W.SINGLE_THREAD}
    touched(log, 5, 0, "user:y")
    assert raised(given(log)) == {}


def test_key_accounts_are_reviewed_every_45_days() -> None:
    log = Log()
    log.add("account.created", 46)
    assert set(raised(given(log, is_key_account=True))) == {W.NO_HEALTH_RHYTHM}
    assert raised(given(log)) == {}
    log.saw(K.REVIEW, 1)
    assert raised(given(log, is_key_account=True)) == {}


def test_key_accounts_have_an_objective_in_180_days() -> None:
    log = Log()
    log.add("account.created", 181)
    log.saw(K.REVIEW, 1)
    assert set(raised(given(log, is_key_account=True))) == {W.NO_STRATEGIC_CONTEXT}
    assert raised(given(log)) == {}
    log.saw(K.OBJECTIVE, 1)
    assert raised(given(log, is_key_account=True)) == {}


def term(log: Log, days: float, *, notice: int = 0, renews: bool = True, ago: float = 5) -> UUID:
    after = {
        "fixed_until": _day(days),
        "notice_by": _day(days - notice),
        "renews_for_months": 12 if renews else None,
    }
    return log.add("agreement.duration_agreed", ago, before={}, after=after)


def step(agreement: UUID, days: float, notice: int) -> dict[str, Any]:
    return {
        "agreement_id": str(agreement),
        "fixed_until": _day(days),
        "notice_by": _day(days - notice),
    }


def _day(days: float) -> str:
    return (NOW + timedelta(days=days)).date().isoformat()


def test_a_last_day_for_notice_within_90_days_has_an_open_renewal() -> None:
    log = Log()
    agreement = term(log, 170, notice=90)
    assert raised(given(log, band=4)) == {W.RENEWAL_AT_RISK: [1]}
    assert raised(given(log, band=None)) == {W.RENEWAL_AT_RISK: [1]}
    renewal = log.add("renewal.opened", 4, **step(agreement, 170, 90))
    assert raised(given(log, band=4)) == {}
    assert raised(given(log, band=2)) == {W.RENEWAL_AT_RISK: [1]}
    log.add("renewal.decided", 3, renewal, **step(agreement, 170, 90))
    assert raised(given(log, band=4)) == {W.RENEWAL_AT_RISK: [1]}
    # Renewed: the last day is later, and the next renewal is open.
    after = {"fixed_until": _day(535), "notice_by": _day(445), "renews_for_months": 12}
    log.add("agreement.duration_agreed", 1, agreement, before={}, after=after)
    assert raised(given(log, band=2)) == {}


def test_a_renewal_opens_within_a_day_after_the_duration_was_agreed() -> None:
    log = Log()
    term(log, 170, notice=90, ago=0.9)
    assert raised(given(log, band=4)) == {}


def test_the_steps_of_a_renewal_tell_a_duration_that_was_agreed_long_ago() -> None:
    log = Log()
    agreement = UUID(int=77)
    log.add("renewal.due", 1, days_left=90, **step(agreement, 170, 90))
    assert raised(given(log, band=2)) == {W.RENEWAL_AT_RISK: [1]}


def test_a_term_that_ends_without_renewal_needs_plans() -> None:
    log = Log()
    term(log, 150, renews=False)
    assert set(raised(given(log))) == {W.NO_FUTURE_WORK}
    log.saw(K.FUTURE_PLANS, 1, 100)
    assert raised(given(log)) == {}


def test_a_commitment_of_somebody_who_left_has_no_owner() -> None:
    log = Log()
    made = log.add("commitment.made", 3, due_at=NOW.isoformat())
    assert raised(given(log, unowned=frozenset({made}))) == {W.ACTION_WITHOUT_OWNER: [1]}
    assert raised(given(log)) == {}


def test_a_payment_30_days_late_and_three_reopened_incidents_are_warnings() -> None:
    log = Log()
    bill(log, 30)
    assert W.PAYMENT_LATE in raised(given(log))
    log = Log()
    for day in (20, 10):
        log.add("incident.reopened", day)
    assert W.SUPPORT_ESCALATING not in raised(given(log))
    log.add("incident.reopened", 1)
    assert raised(given(log))[W.SUPPORT_ESCALATING] == [1, 2, 3]


def test_a_severe_warning_that_nobody_reviews_is_a_warning() -> None:
    log = Log()
    log.saw(K.CONTACT_LEFT, 20, contact=AN)
    week = OpenWarning(W.KEY_CONTACT_CHANGED, NOW - 7 * DAY)
    young = OpenWarning(W.KEY_CONTACT_CHANGED, NOW - 7 * DAY + timedelta(seconds=1))
    assert W.WARNING_UNHANDLED in raised(given(log, open_ones=[week]))
    assert W.WARNING_UNHANDLED not in raised(given(log, open_ones=[young]))
    log.add("playbook_run.opened", 6.9, trigger="warning:key_contact_changed")
    assert W.WARNING_UNHANDLED not in raised(given(log, open_ones=[week]))
    log.facts.pop()
    log.saw(K.REVIEW, 1)
    assert W.WARNING_UNHANDLED not in raised(given(log, open_ones=[week]))


def test_every_rule_stands_in_the_registry_once() -> None:
    assert [each.key for each in RULES] == list(BY_RULE)
    assert set(BY_RULE) == set(WarningRule)
    page = (Path(__file__).parents[3] / "docs" / "health.md").read_text()
    for each in RULES:
        row = (
            f"| `{each.key.upper()}` | {each.severity} | {each.raised_when} | {each.clears_when} |"
        )
        assert row in page
