"""Promises of all five classes about units of several kinds: one unit alone, all together, and the naive twin agree."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.agreements import PromiseKind, Target, Term
from domain.agreements.limits import PromiseLimits
from domain.agreements.model import Priority
from domain.calendars import CalendarSpec
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, PromiseInput
from domain.promises import ClockFact, JudgedPart, State, build, from_us, judge, registry, to_us
from domain.promises.roles import ClockRule, FactRole, UnitClocks
from tests import naive
from tests.build import T0

STAFFED, RATED = cast("PromiseKind", "staffed"), cast("PromiseKind", "rated")
SHIFT = UnitClocks(
    "stint",
    "Duty",
    {
        STAFFED: ClockRule(
            PromiseClass.COVER,
            {
                "stint.planned": FactRole(EventKind.START, time_field="from_at"),
                "stint.ends": FactRole(EventKind.STOP, time_field="until_at"),
                "stint.staffed": FactRole(EventKind.STAFFED),
                "stint.left": FactRole(EventKind.UNSTAFFED),
            },
            prioritised=False,
        ),
        RATED: ClockRule(
            PromiseClass.POINT,
            {"stint.rated": FactRole(EventKind.MEASURE, flags=("counts",), value_field="value")},
            prioritised=False,
            pass_mark=6.0,
        ),
    },
)
ALWAYS = UUID(int=9)
SPECS = {ALWAYS: CalendarSpec(zone="UTC", always_open=True)}
HOUR = timedelta(hours=1)


class Told(NamedTuple):
    """A fact in short: minutes after T0, kind, and body."""

    minute: int
    kind: str
    body: dict[str, Any]


def term(number: int, kind: PromiseKind, *, objective_ppm: int = 800_000) -> Term:
    return Term(
        id=UUID(int=100 + number), tenant_id=UUID(int=1), account_id=UUID(int=2),
        agreement_id=UUID(int=3), terms_id=UUID(int=4), name=str(kind), kind=kind,
        calendar_version_id=ALWAYS, objective_ppm=objective_ppm, pausable=True, internal=False,
        targets={Priority.LOW: Target(elapsed_s=3_600)}, limits=PromiseLimits(), rule=2,
    )  # fmt: skip


TERMS = {
    "incident": (PromiseKind.RESOLUTION, PromiseKind.NEXT_UPDATE),
    "report": (PromiseKind.REPORT_DELIVERED,),
    "stint": (STAFFED, RATED),
}


@pytest.fixture(scope="module", autouse=True)
def _shifts() -> Iterator[None]:
    with registry.including(SHIFT):
        yield


def at_minute(minute: int) -> datetime:
    return T0 + timedelta(minutes=minute)


MINUTES = st.integers(0, 300)
LOW = {"priority": "low"}
VISIBLE = {"client_visible": True, "from_us": True}


def told(kind: str, **body: Any) -> st.SearchStrategy[Told]:
    return st.builds(Told, MINUTES, st.just(kind), st.just(body))


def dated(kind: str, field: str) -> st.SearchStrategy[Told]:
    return st.builds(
        lambda minute, then: Told(minute, kind, {field: at_minute(then).isoformat()}),
        MINUTES, MINUTES,
    )  # fmt: skip


RATING = st.builds(
    lambda minute, value, counts: Told(minute, "stint.rated", {"value": value, "counts": counts}),
    MINUTES, st.integers(0, 10), st.booleans(),
)  # fmt: skip
FACTS = {
    "incident": told("incident.resolved") | told("incident.reopened")
    | told("incident.updated", **VISIBLE),
    "report": told("report.delivered"),
    "stint": told("stint.staffed") | told("stint.left") | RATING,
}  # fmt: skip
BEGIN = {
    "incident": st.just(Told(0, "incident.opened", LOW)),
    "report": st.builds(
        lambda due: Told(0, "report.made", {"due_at": at_minute(due).isoformat()}), MINUTES
    ),
    "stint": st.builds(
        lambda start: Told(0, "stint.planned", {"from_at": at_minute(start).isoformat()}), MINUTES
    ),
}
END = st.builds(
    lambda end: Told(0, "stint.ends", {"until_at": at_minute(end).isoformat()}), MINUTES
)


@st.composite
def units(draw: st.DrawFn) -> dict[UUID, tuple[str, list[ClockFact]]]:
    found: dict[UUID, tuple[str, list[ClockFact]]] = {}
    for number, kind in enumerate(
        draw(st.lists(st.sampled_from([*TERMS]), min_size=1, max_size=5))
    ):
        unit = UUID(int=1_000 + number)
        facts = [draw(BEGIN[kind]), *([draw(END)] if kind == "stint" else [])]
        later = st.lists(FACTS[kind], max_size=6, unique_by=lambda fact: fact.minute)
        facts += draw(later)
        found[unit] = kind, [ClockFact(unit, f.kind, at_minute(f.minute), f.body) for f in facts]
    return found


def terms_of(kind: str) -> list[Term]:
    numbers = {k: n for n, k in enumerate(k for kinds in TERMS.values() for k in kinds)}
    return [term(numbers[each], each) for each in TERMS[kind]]


def judged(
    found: dict[UUID, tuple[str, list[ClockFact]]], facts: Sequence[ClockFact], at: datetime
) -> dict[tuple[UUID, UUID, int], JudgedPart]:
    attached = {unit: terms_of(kind) for unit, (kind, _) in found.items()}
    rows = judge(build(attached, facts, SPECS, at=at), at=at)
    return {(row.unit_id, row.term.id, row.part): row for row in rows}


def expected(unit: UUID, kind: str, facts: Sequence[ClockFact], at: datetime) -> list[naive.Row]:
    """What the twin says, from the declared meaning of each fact, written here once more."""
    promises, events = [], []
    for row, each in enumerate(terms_of(kind)):
        cls = registry.rule_of(each.kind).cls
        promises.append(
            PromiseInput(cls, [3_600_000_000] * 4, objective_ppm=800_000, pass_mark=6.0)
        )
        events += [event for fact in facts if (event := meaning(fact, cls, row)) is not None]
    calendar = naive.Calendar(SPECS[ALWAYS], T0.date() - timedelta(1), T0.date() + timedelta(2))
    return naive.judge(events, promises, [calendar], to_us(at))


def meaning(fact: ClockFact, cls: PromiseClass, row: int) -> Event | None:
    name, body = fact.kind.split(".")[1], fact.body
    ts = fact.at
    for field in ("due_at", "from_at", "until_at"):
        ts = datetime.fromisoformat(body[field]) if field in body else ts
    kind = {
        (PromiseClass.FLOW, "opened"): EventKind.START,
        (PromiseClass.FLOW, "resolved"): EventKind.STOP,
        (PromiseClass.FLOW, "reopened"): EventKind.REOPEN,
        (PromiseClass.UPDATE, "opened"): EventKind.START,
        (PromiseClass.UPDATE, "resolved"): EventKind.STOP,
        (PromiseClass.UPDATE, "reopened"): EventKind.REOPEN,
        (PromiseClass.UPDATE, "updated"): EventKind.UPDATE,
        (PromiseClass.DUE, "made"): EventKind.START,
        (PromiseClass.DUE, "delivered"): EventKind.STOP,
        (PromiseClass.COVER, "planned"): EventKind.START,
        (PromiseClass.COVER, "ends"): EventKind.STOP,
        (PromiseClass.COVER, "staffed"): EventKind.STAFFED,
        (PromiseClass.COVER, "left"): EventKind.UNSTAFFED,
    }.get((cls, name))
    if cls is PromiseClass.POINT and name == "rated" and body["counts"]:
        kind = EventKind.MEASURE
    return None if kind is None else Event(to_us(ts), row, 0, kind, 3, body.get("value", 0))


STATES = {
    State.KEPT: {ClockState.KEPT},
    State.LATE: {ClockState.LATE_OPEN, ClockState.LATE_CLOSED},
    State.RUNNING: {ClockState.RUNNING},
    State.AT_RISK: {ClockState.RUNNING},
}


@settings(max_examples=150, deadline=None)
@given(found=units(), minute=MINUTES, seed=st.integers(0, 2**32))
def test_one_unit_alone_all_together_and_the_twin_agree_in_any_order_of_arrival(
    found: dict[UUID, tuple[str, list[ClockFact]]], minute: int, seed: int
) -> None:
    at = at_minute(minute)
    every = [fact for _, facts in found.values() for fact in facts]
    together = judged(found, every, at)
    alone = {
        key: row
        for unit, (kind, facts) in found.items()
        for key, row in judged({unit: (kind, facts)}, facts, at).items()
    }
    assert alone == together
    order = random.Random(seed)
    for _, facts in found.values():
        head = [f for f in facts if f.at == T0]
        tail = [f for f in facts if f.at != T0]
        order.shuffle(tail)
        facts[:] = [*head, *tail]
    shuffled = [
        fact for _, facts in order.sample(list(found.values()), len(found)) for fact in facts
    ]
    assert judged(found, shuffled, at) == together

    for unit, (kind, facts) in found.items():
        of_kind = terms_of(kind)
        rows = expected(unit, kind, facts, at)
        mine = {key: row for key, row in together.items() if key[0] == unit}
        measured = {key for key, row in mine.items() if row.state is not State.PENDING}
        assert measured == {(unit, of_kind[row.promise].id, row.part) for row in rows}
        for row in rows:
            part = mine[unit, of_kind[row.promise].id, row.part]
            assert row.state in STATES[part.state]
            assert (part.elapsed_us, part.target_us) == (row.elapsed_us, row.target_us)
            assert part.decided_at == from_us(row.decided_us)


def test_a_planned_shift_is_evaluated_when_it_begins_and_when_it_ends() -> None:
    unit = UUID(int=7)
    facts = [
        ClockFact(unit, "stint.planned", T0, {"from_at": (T0 + HOUR).isoformat()}),
        ClockFact(unit, "stint.ends", T0, {"until_at": (T0 + 9 * HOUR).isoformat()}),
        ClockFact(unit, "stint.staffed", T0 + 2 * HOUR, {}),
    ]
    found = {unit: ("stint", facts)}

    def row(at: datetime) -> JudgedPart:
        return next(iter(judged(found, facts, at).values()))

    before, during, after = row(T0), row(T0 + 3 * HOUR), row(T0 + 9 * HOUR)

    assert (before.state, before.next_check_at) == (State.PENDING, T0 + HOUR)
    assert (during.state, during.next_check_at) == (State.RUNNING, T0 + 9 * HOUR)
    assert during.due_at == T0 + 9 * HOUR
    assert (after.state, after.decided_at) == (State.KEPT, T0 + 9 * HOUR)  # 7 of 8 hours
    assert (after.elapsed_us, after.next_check_at) == (7 * 3_600_000_000, None)
