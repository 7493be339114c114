"""Conditions of early warnings about agreements and about the company's own care: the facts that raise each one."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from domain.health.facts import DAY, HealthFact
from domain.health.observed import ObservationKind
from domain.health.warning_input import WarningInput

K = ObservationKind
Evidence = list[int]
FEWEST_COMMITMENTS, LEAST_KEPT = 5, 0.8


class KnownTerm(NamedTuple):
    """The duration of an agreement as the last fact about it says."""

    fact: HealthFact
    fixed_until: date
    notice_by: date
    renews: bool
    is_followed: bool


def _terms(given: WarningInput) -> Iterator[KnownTerm]:
    """Yield the durations of agreements that have a last day and were not ended.

    The steps of a renewal repeat the days, so that they are known when the duration was agreed before the facts begin.
    Whether it renews is not known then, and nothing is raised for that.
    """
    facts = given.facts
    ended = {each.subject_id for each in facts.of("agreement.ended")}
    agreed = {each.subject_id: each for each in facts.of("agreement.duration_agreed")}
    steps = {
        UUID(each.body["agreement_id"]): each
        for each in facts.of("renewal.opened", "renewal.moved", "renewal.due", "renewal.decided")
    }
    for agreement_id in [*agreed, *(each for each in steps if each not in agreed)]:
        fact, step = agreed.get(agreement_id), steps.get(agreement_id)
        is_followed = step is not None and step.kind != "renewal.decided"
        if fact is None and is_followed:
            fact = step
        if agreement_id in ended or fact is None:
            continue
        known = fact.body.get("after", fact.body)
        if known["fixed_until"] is None:
            continue
        yield KnownTerm(
            fact,
            date.fromisoformat(known["fixed_until"]),
            date.fromisoformat(known["notice_by"]),
            known.get("renews_for_months", "unknown") is not None,
            is_followed,
        )


def _ends_within(given: WarningInput, days: int) -> list[HealthFact]:
    """Return the facts that say an agreement ends within so many days; the last one about each counts."""
    last = {fact.subject_id: fact for fact in given.facts.of("agreement.ended")}
    return [
        fact for fact in last.values()
        if given.at <= datetime.fromisoformat(fact.body["ended_at"]) < given.at + days * DAY
    ]  # fmt: skip


def no_future_work(given: WarningInput) -> Evidence:
    """Return the ends of agreements within 180 days, unless plans beyond are known; not of terms that renew."""
    plans = given.seen(K.FUTURE_PLANS, days=180)
    if plans and plans[-1].body["value"] == 100:
        return []
    today = given.at.date()
    terms = [
        each.fact.number for each in _terms(given)
        if not each.renews and today <= each.fixed_until < today + timedelta(days=180)
    ]  # fmt: skip
    return [fact.number for fact in _ends_within(given, 180)] + terms


def renewal_at_risk(given: WarningInput) -> Evidence:
    """Return what ends within 90 days of a client at risk, and last days for notice then that no renewal follows.

    A renewal opens soon after the duration was agreed; one day is left for that.
    """
    is_low = given.band is not None and given.band <= 2
    today = given.at.date()
    near = [
        each.fact.number for each in _terms(given)
        if today <= each.notice_by < today + timedelta(days=90)
        and (is_low or (not each.is_followed and each.fact.at <= given.at - DAY))
    ]  # fmt: skip
    return near + [fact.number for fact in _ends_within(given, 90) if is_low]


def churn_signs(given: WarningInput) -> Evidence:
    """Return the last forecast that crossed the threshold, if it did upwards."""
    last = given.facts.of("churn.signs_changed")[-1:]
    return [each.number for each in last if each.body["above"]]


def no_strategic_context(given: WarningInput) -> Evidence:
    """Return the beginning of a key account without an objective that was agreed or reviewed in 180 days."""
    since = [each for each in given.facts.of("account.created") if each.at <= given.at - 180 * DAY]
    lacking = given.is_key_account and not given.seen(K.OBJECTIVE, days=180)
    return [each.number for each in since] if lacking else []


def action_without_owner(given: WarningInput) -> Evidence:
    """Return open commitments of users who cannot sign in, and tasks of playbooks that nobody has the role for."""
    facts = given.facts
    found = [
        each.number for each in facts.of("commitment.made") if each.subject_id in given.unowned
    ]
    closed = {each.subject_id for each in facts.of("playbook_run.closed")}
    last = {
        (each.subject_id, each.body["task"]): each
        for each in facts.of("playbook_run.task_begun", "playbook_run.task_unowned")
    }
    return found + [
        each.number for (run_id, _task), each in last.items()
        if each.kind == "playbook_run.task_unowned" and run_id not in closed
    ]  # fmt: skip


def follow_through_slow(given: WarningInput) -> Evidence:
    """Return the late commitments of 90 days, if of 5 or more less than 80 % were kept."""
    begin = given.at - 90 * DAY
    late: dict[object, HealthFact] = {}
    over: set[object] = set()
    for each in given.facts.of("commitment.late", "commitment.done"):
        if each.at <= begin:
            continue
        over.add(each.subject_id)
        if each.kind == "commitment.late" or each.body["late"]:
            late.setdefault(each.subject_id, each)
    kept = len(over) - len(late)
    slow = len(over) >= FEWEST_COMMITMENTS and kept < LEAST_KEPT * len(over)
    return [each.number for each in late.values()] if slow else []


def undocumented_change(given: WarningInput) -> Evidence:
    """Return changes of terms older than 7 days without a decision recorded from 7 days before them on."""
    decided = [each.at for each in given.seen(K.DECISION, days=365)]
    return [
        each.number
        for each in given.facts.of("agreement.amended")
        if given.at - 180 * DAY < each.at <= given.at - 7 * DAY
        and not any(at >= each.at - 7 * DAY for at in decided)
    ]
