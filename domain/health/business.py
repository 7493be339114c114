"""Signals of business: budget, organisation, competition, plans and payment."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from domain.health.curves import AS_IS, Curve, linear
from domain.health.facts import DAY, AccountFacts, Point, points_of
from domain.health.observed import ObservationKind
from domain.health.signals import Signal, SignalCategory, SignalKey, count, last, mean

K = ObservationKind
INVOICES = 6


def talks(facts: AccountFacts) -> list[Point]:
    """Return what was said about budgets."""
    return points_of(facts.observed(K.BUDGET))


def organisations(facts: AccountFacts) -> list[Point]:
    """Return what was observed about changes in the client's organisation.

    A contact who left is a change under way until the succession is settled.
    """
    settled = {fact.body["contact_id"]: fact.at for fact in facts.observed(K.SUCCESSION)}
    left = [
        Point(
            fact.at,
            fact.number,
            60.0 if settled.get(fact.body["contact_id"], fact.at) > fact.at else 30.0,
        )
        for fact in facts.observed(K.CONTACT_LEFT)
    ]
    return [*points_of(facts.observed(K.ORGANISATION)), *left]


def conversations(facts: AccountFacts) -> list[Point]:
    """Return the number of competitors that were named in each conversation."""
    return points_of(facts.observed(K.COMPETITION))


def plans(facts: AccountFacts) -> list[Point]:
    """Return what was said about the time after the term."""
    return points_of(facts.observed(K.FUTURE_PLANS))


def payments(facts: AccountFacts) -> list[Point]:
    """Return the days that each due invoice was paid late, or is late so far, weighted by its amount."""
    paid: dict[UUID, int] = {}
    last_on: dict[UUID, date] = {}
    issued = {fact.subject_id: fact for fact in facts.of("invoice.issued")}
    settled: dict[UUID, date] = {}
    for fact in sorted(
        facts.of("invoice.paid", "invoice.payment_reversed"), key=lambda fact: fact.number
    ):
        bill = issued.get(fact.subject_id)
        if bill is None:
            continue
        amount = fact.body["amount_cents"]
        if fact.kind == "invoice.paid":
            day = date.fromisoformat(fact.body["paid_on"])
            last_on[fact.subject_id] = max(day, last_on.get(fact.subject_id, day))
            paid[fact.subject_id] = paid.get(fact.subject_id, 0) + amount
        else:
            paid[fact.subject_id] = paid.get(fact.subject_id, 0) - abs(amount)
        if paid[fact.subject_id] >= bill.body["gross_cents"]:
            settled[fact.subject_id] = last_on[fact.subject_id]
        else:
            settled.pop(fact.subject_id, None)
    today = facts.at.date()
    found = []
    for fact in facts.of("invoice.issued"):
        due_on = date.fromisoformat(fact.body["due_on"])
        paid_on = settled.get(fact.subject_id)
        if paid_on is None and due_on >= today:
            continue
        late = max(0, ((paid_on or today) - due_on).days)
        known_on = min(
            max(due_on, fact.at.date()) if paid_on is None else max(paid_on, fact.at.date()), today
        )
        at = min(datetime.combine(known_on, time(), UTC), facts.at)
        found.append(Point(at, fact.number, float(late), float(fact.body["gross_cents"])))
    return found


def competitors(inside: Sequence[Point], _known: Sequence[Point], _at: datetime) -> float | None:
    """Return the number of competitors named; None while a single conversation named none."""
    named = count(inside, inside, _at) or 0
    return None if named == 0 and len(inside) < 2 else named


B = SignalCategory.BUSINESS
SIGNALS = (
    Signal(
        SignalKey.BUDGET, B, 5, AS_IS, talks, last,
        "What the client last said about its budget: freeze 0, cut 20, flat 70, increase 100.", "points",
        180 * DAY,
    ),
    Signal(
        SignalKey.ORGANISATION, B, 5, AS_IS, organisations, last,
        "Change in the client's organisation: open 30, succession settled 60, none 80.", "points",
        180 * DAY,
    ),
    Signal(
        SignalKey.COMPETITION, B, 5, Curve(((0, 100), (1, 50), (2, 0))), conversations, competitors,
        "Competitors named in conversations: none in two or more 100, one 50, more 0.", "count",
        180 * DAY,
    ),
    Signal(
        SignalKey.FUTURE_PLANS, B, 5, AS_IS, plans, last,
        "Plans: beyond the term 100, the next review has a date 60, none 20.", "points", 180 * DAY,
    ),
    Signal(
        SignalKey.PAYMENT, B, 5, linear(30, 0), payments, mean,
        "Days by which the last six due invoices were paid late, weighted by amount.", "days",
        None, 2, INVOICES,
    ),
)  # fmt: skip
