"""Conditions of early warnings: the facts that raise each one, none where it is not raised."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from math import sqrt
from statistics import fmean, median, variance
from uuid import UUID

from domain.health import business, engagement, relationship
from domain.health.facts import DAY, HealthFact, Point
from domain.health.observed import ObservationKind
from domain.health.registry import BY_KEY
from domain.health.scoring import SignalFreshness
from domain.health.signals import SignalKey
from domain.health.warning_input import WarningInput

K = ObservationKind
KEY_POWER = 4
"""Decision power from which a contact is a key contact."""
URGENT = frozenset({"critical", "high"})
Z90 = 1.6448536269514722
"""Quantile of a 90 % interval."""
Evidence = list[int]
"""The facts that raise a warning; empty: it is not raised."""


def _numbers(facts: Sequence[HealthFact | Point]) -> Evidence:
    return [each.number if isinstance(each, HealthFact) else each.fact for each in facts]


def responses_slowing(given: WarningInput) -> Evidence:
    """Return the replies that took 1.5 times the usual time."""
    found = BY_KEY[SignalKey.REPLY_TIME].read(given.facts)
    slow = found.state is SignalFreshness.FRESH and (found.figure or 0) >= 1.5
    return [*found.evidence] if slow else []


def meetings_cancelled(given: WarningInput) -> Evidence:
    """Return the cancelled ones of the last four meetings, if two or more."""
    begin = given.at - 365 * DAY
    planned = [
        *given.facts.of("meeting.held"),
        *engagement.cancelled_by_client(given.facts),
        *given.facts.observed(K.MEETING, K.MEETING_CANCELLED),
    ]
    last = sorted((each for each in planned if each.at > begin), key=_when)[-4:]
    off = [each for each in last if _is_off(each)]
    return _numbers(off) if len(off) >= 2 else []


def _is_off(fact: HealthFact) -> bool:
    """Return whether the client cancelled or missed a meeting."""
    if fact.kind == "meeting.held":
        return not fact.body["attended"]
    observed: str | None = fact.body.get("observed")
    return fact.kind == "meeting.cancelled" or observed == K.MEETING_CANCELLED


def _when(fact: HealthFact) -> tuple[datetime, int]:
    return fact.at, fact.number


def messages_shorter(given: WarningInput) -> Evidence:
    """Return the last five messages, if they have half the words of the 20 before."""
    written = given.seen(K.CLIENT_WROTE, days=365)
    now, before = written[-5:], written[-25:-5]
    if len(now) < 5 or len(before) < 5:
        return []
    words = [median(each.body["value"] for each in some) for some in (now, before)]
    return _numbers(now) if words[0] <= words[1] / 2 else []


def key_contact_changed(given: WarningInput) -> Evidence:
    """Return the departures of key contacts and champions without a settled succession."""
    facts = given.facts
    power = {each.id: each.decision_power for each in facts.contacts}
    settled = {each.body["contact_id"]: each.at for each in facts.observed(K.SUCCESSION)}
    champions = {
        each.body["contact_id"] for each in facts.observed(K.CHAMPION) if each.body["value"] == 1
    } | {each.body["contact_id"] for each in facts.of("champion.named")}
    return _numbers(
        [
            each
            for each in given.seen(K.CONTACT_LEFT, days=365)
            if (
                power.get(UUID(each.body["contact_id"]), 0) >= KEY_POWER
                or each.body["contact_id"] in champions
            )
            and settled.get(each.body["contact_id"], each.at) <= each.at
        ]
    )


def budget_pressure(given: WarningInput) -> Evidence:
    """Return the last word about a budget, if it is a freeze or a cut."""
    last = given.seen(K.BUDGET, days=180)[-1:]
    return _numbers([each for each in last if each.body["value"] <= 20])


def competitor_named(given: WarningInput) -> Evidence:
    """Return the conversations that named a competitor, unless the last two named none."""
    last = given.seen(K.COMPETITION, days=180)
    named = [each for each in last if each.body["value"] > 0]
    quiet = len(last) >= 2 and all(each.body["value"] == 0 for each in last[-2:])
    return [] if quiet else _numbers(named)


def feedback_stopped(given: WarningInput) -> Evidence:
    """Return the last three invitations, if none was answered and one before them was."""
    asked = sorted(engagement.invitations(given.facts))
    ends = {fact.number: fact.body["closes_at"] for fact in given.facts.of("survey.asked")}
    over = [
        each for each in asked
        if each.number or datetime.fromisoformat(ends[each.fact]) <= given.at
    ]  # fmt: skip
    last = over[-3:]
    stopped = len(last) == 3 and not any(each.number for each in last)
    return _numbers(last) if stopped and any(each.number for each in over[:-3]) else []


def approvals_late(given: WarningInput) -> Evidence:
    """Return the late approvals of 90 days, if two or more."""
    late = [each for each in given.seen(K.APPROVAL, days=90) if each.body["value"] == 0]
    return _numbers(late) if len(late) >= 2 else []


def scope_questioned(given: WarningInput) -> Evidence:
    """Return the times that the scope was questioned in 30 days, if two or more."""
    found = given.seen(K.SCOPE_QUESTIONED, days=30)
    return _numbers(found) if len(found) >= 2 else []


def legal(given: WarningInput) -> Evidence:
    """Return the times that a lawyer took part in a small matter in 30 days."""
    return _numbers(given.seen(K.LEGAL_INVOLVED, days=30))


def payment_late(given: WarningInput) -> Evidence:
    """Return the late ones of the last six invoices, if two were over 14 days late or one 30."""
    last = sorted(business.payments(given.facts))[-business.INVOICES :]
    late = [each for each in last if each.number > 14]
    return _numbers(late) if len(late) >= 2 or any(each.number >= 30 for each in late) else []


def satisfaction_falling(given: WarningInput) -> Evidence:
    """Return the detractors' answers of 90 days, or all if their mean fell."""
    answers = sorted(relationship.recommendations(given.facts))
    begin = given.at - 90 * DAY
    now = [each for each in answers if each.at > begin]
    before = [each for each in answers if begin - 90 * DAY < each.at <= begin]
    detractors = [each for each in now if each.number <= 6]
    if detractors:
        return _numbers(detractors)
    return _numbers(now) if _is_lower(now, before) else []


def _is_lower(now: Sequence[Point], before: Sequence[Point]) -> bool:
    """Return whether a mean is below another, their difference apart from 0 at 90 % (Welch)."""
    if min(len(now), len(before)) < 3:
        return False
    first, second = ([each.number for each in some] for some in (before, now))
    spread = sqrt(variance(first) / len(first) + variance(second) / len(second))
    return fmean(first) - fmean(second) > Z90 * spread


def support_escalating(given: WarningInput) -> Evidence:
    """Return the second escalation or third reopening in 30 days, or the open urgent incidents, if twice the usual."""
    urgent = {
        fact.subject_id: fact
        for fact in given.facts.of("incident.opened")
        if fact.body["priority"] in URGENT
    }
    done: dict[UUID, datetime] = {}
    for fact in given.facts.of("incident.resolved", "incident.closed", "incident.reopened"):
        if fact.kind == "incident.reopened":
            done.pop(fact.subject_id, None)
        else:
            done.setdefault(fact.subject_id, fact.at)

    def open_at(at: datetime) -> list[HealthFact]:
        return [
            fact
            for key, fact in urgent.items()
            if fact.at <= at and (key not in done or done[key] > at)
        ]

    now = open_at(given.at)
    usual = fmean(len(open_at(given.at - 30 * n * DAY)) for n in range(1, 7))
    begin = given.at - 30 * DAY
    escalated = {
        fact.body["incident_id"]: fact
        for fact in given.facts.of("escalation.stepped")
        if fact.at > begin
    }
    if len(escalated) >= 2:
        return _numbers([*escalated.values()])
    reopened = [each for each in given.facts.of("incident.reopened") if each.at > begin]
    if len({each.subject_id for each in reopened}) >= 3:
        return _numbers(reopened)
    return _numbers(now) if len(now) >= max(2, 2 * usual) else []


def single_thread(given: WarningInput) -> Evidence:
    """Return the contacts on one level alone, or the contact that one person alone made."""
    facts = given.facts
    begin = given.at - 180 * DAY
    left = {UUID(each.body["contact_id"]) for each in facts.observed(K.CONTACT_LEFT)}
    contacts = [each for each in facts.contacts if each.id not in left]
    made = [each for each in facts.of("touchpoint.made", "meeting.held") if each.at > begin]
    made += [each for each in facts.observed(K.MEETING, K.EXECUTIVE_MEETING) if each.at > begin]
    few = len(contacts) < 2 or len({each.decision_power for each in contacts}) < 2
    alone = bool(made) and len({each.actor for each in made}) < 2
    known = [each.fact for each in contacts if each.fact is not None]
    if alone:
        return _numbers(made)
    return known if few else []


def reactive_only(given: WarningInput) -> Evidence:
    """Return what the client wrote in 60 days, if the company made no contact."""
    begun = given.seen(K.CLIENT_WROTE, days=60)
    begin = given.at - 60 * DAY
    ours = given.seen(K.MEETING, K.EXECUTIVE_MEETING, days=60) or [
        each for each in given.facts.of("touchpoint.made", "meeting.held") if each.at > begin
    ]
    return [] if ours else _numbers(begun)


def no_health_rhythm(given: WarningInput) -> Evidence:
    """Return the beginning of a key account that nobody reviewed in 45 days."""
    since = [each for each in given.facts.of("account.created") if each.at <= given.at - 45 * DAY]
    lacking = given.is_key_account and not given.seen(K.REVIEW, days=45)
    return _numbers(since) if lacking else []


def tier_ignored(given: WarningInput) -> Evidence:
    """Return the last two touchpoints of a kind, if both were made after their day."""
    by_kind: dict[str, list[HealthFact]] = {}
    for fact in given.facts.of("touchpoint.made"):
        by_kind.setdefault(fact.body["touchpoint_kind"], []).append(fact)
    for made in by_kind.values():
        for first, second in [*pairwise(made)][-1:]:
            if all(str(each.at.date()) > each.body["due_on"] for each in (first, second)):
                return _numbers([first, second])
    return []
