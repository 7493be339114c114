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

RATED, TIDY = cast("PromiseKind", "rated"), cast("PromiseKind", "tidy")
ROUND = UnitClocks(
    "round",
    "Duty",
    {
        RATED: ClockRule(
            PromiseClass.POINT,
            {"round.rated": FactRole(EventKind.MEASURE, flags=("counts",), value_field="value")},
            prioritised=False,
            pass_mark=6.0,
        ),
        TIDY: ClockRule(
            PromiseClass.DUE,
            {
                "round.made": FactRole(EventKind.START, time_field="due_at"),
                "round.done": FactRole(EventKind.STOP),
                "round.undone": FactRole(EventKind.REOPEN),
                "round.dropped": FactRole(EventKind.CANCEL),
            },
            prioritised=False,
        ),
    },
)
"""Measured values, and a date that can be reopened: no noun of the product declares these yet."""
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
    "incident": (PromiseKind.RESOLUTION, PromiseKind.NEXT_UPDATE, PromiseKind.ARRIVAL),
    "report": (PromiseKind.REPORT_DELIVERED,),
    "shift": (PromiseKind.SHIFT_STARTED, PromiseKind.SHIFT_COVERED),
    "round": (RATED, TIDY),
}


@pytest.fixture(scope="module", autouse=True)
def _rounds() -> Iterator[None]:
    with registry.including(ROUND):
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
    lambda minute, value, counts: Told(minute, "round.rated", {"value": value, "counts": counts}),
    MINUTES, st.integers(0, 10), st.booleans(),
)  # fmt: skip
FACTS = {
    "incident": told("incident.resolved") | told("incident.reopened")
    | told("incident.called_off") | told("incident.arrived") | told("incident.arrival_withdrawn")
    | told("incident.updated", **VISIBLE),
    "report": told("report.delivered"),
    "shift": told("shift.clocked_in") | told("shift.clocked_out") | told("shift.cancelled"),
    "round": RATING | told("round.done") | told("round.undone") | told("round.dropped"),
}  # fmt: skip


def begins(kind: str, field: str) -> st.SearchStrategy[Told]:
    return st.builds(lambda then: Told(0, kind, {field: at_minute(then).isoformat()}), MINUTES)


BEGIN = {
    "incident": [st.just(Told(0, "incident.opened", LOW))],
    "report": [begins("report.made", "due_at")],
    "shift": [begins("shift.planned", "until_at"), begins("shift.published", "from_at")],
    "round": [begins("round.made", "due_at")],
}


@st.composite
def units(draw: st.DrawFn) -> dict[UUID, tuple[str, list[ClockFact]]]:
    found: dict[UUID, tuple[str, list[ClockFact]]] = {}
    for number, kind in enumerate(
        draw(st.lists(st.sampled_from([*TERMS]), min_size=1, max_size=5))
    ):
        unit = UUID(int=1_000 + number)
        later = st.lists(FACTS[kind], max_size=6, unique_by=lambda fact: fact.minute)
        facts = [*(draw(each) for each in BEGIN[kind]), *draw(later)]
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
        events += [e for fact in facts if (e := meaning(fact, each.kind, row)) is not None]
    calendar = naive.Calendar(SPECS[ALWAYS], T0.date() - timedelta(1), T0.date() + timedelta(2))
    return naive.judge(events, promises, [calendar], to_us(at))


def meaning(fact: ClockFact, of: PromiseKind, row: int) -> Event | None:
    name, body = fact.kind.split(".")[1], fact.body
    ts = fact.at
    for field in ("due_at", "from_at", "until_at"):
        ts = datetime.fromisoformat(body[field]) if field in body else ts
    kind = {
        (PromiseKind.RESOLUTION, "opened"): EventKind.START,
        (PromiseKind.RESOLUTION, "resolved"): EventKind.STOP,
        (PromiseKind.RESOLUTION, "reopened"): EventKind.REOPEN,
        (PromiseKind.RESOLUTION, "called_off"): EventKind.CANCEL,
        (PromiseKind.ARRIVAL, "opened"): EventKind.START,
        (PromiseKind.ARRIVAL, "arrived"): EventKind.STOP,
        (PromiseKind.ARRIVAL, "arrival_withdrawn"): EventKind.REOPEN,
        (PromiseKind.ARRIVAL, "resolved"): EventKind.CANCEL,
        (PromiseKind.ARRIVAL, "called_off"): EventKind.CANCEL,
        (PromiseKind.ARRIVAL, "reopened"): EventKind.RESTORE,
        (PromiseKind.NEXT_UPDATE, "opened"): EventKind.START,
        (PromiseKind.NEXT_UPDATE, "resolved"): EventKind.STOP,
        (PromiseKind.NEXT_UPDATE, "reopened"): EventKind.REOPEN,
        (PromiseKind.NEXT_UPDATE, "updated"): EventKind.UPDATE,
        (PromiseKind.REPORT_DELIVERED, "made"): EventKind.START,
        (PromiseKind.REPORT_DELIVERED, "delivered"): EventKind.STOP,
        (PromiseKind.SHIFT_STARTED, "published"): EventKind.START,
        (PromiseKind.SHIFT_STARTED, "clocked_in"): EventKind.STOP,
        (PromiseKind.SHIFT_STARTED, "cancelled"): EventKind.CANCEL,
        (PromiseKind.SHIFT_COVERED, "published"): EventKind.START,
        (PromiseKind.SHIFT_COVERED, "planned"): EventKind.STOP,
        (PromiseKind.SHIFT_COVERED, "clocked_in"): EventKind.STAFFED,
        (PromiseKind.SHIFT_COVERED, "clocked_out"): EventKind.UNSTAFFED,
        (PromiseKind.SHIFT_COVERED, "cancelled"): EventKind.CANCEL,
        (TIDY, "made"): EventKind.START,
        (TIDY, "done"): EventKind.STOP,
        (TIDY, "undone"): EventKind.REOPEN,
        (TIDY, "dropped"): EventKind.CANCEL,
    }.get((of, name))
    if of is RATED and name == "rated" and body["counts"]:
        kind = EventKind.MEASURE
    return None if kind is None else Event(to_us(ts), row, 0, kind, 3, body.get("value", 0))


STATES = {
    State.KEPT: {ClockState.KEPT},
    State.LATE: {ClockState.LATE_OPEN, ClockState.LATE_CLOSED},
    State.RUNNING: {ClockState.RUNNING, ClockState.PAUSED},  # nobody is at a shift
    State.AT_RISK: {ClockState.RUNNING, ClockState.PAUSED},
    State.CANCELLED: {ClockState.CANCELLED},
}


@settings(max_examples=300, deadline=None)
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
        ahead = [key for key, row in mine.items() if row.started_at is None]
        assert {mine[key].state for key in ahead} <= {State.PENDING, State.CANCELLED}
        measured = mine.keys() - ahead
        assert measured == {(unit, of_kind[row.promise].id, row.part) for row in rows}
        for row in rows:
            part = mine[unit, of_kind[row.promise].id, row.part]
            assert row.state in STATES[part.state]
            assert (part.elapsed_us, part.target_us) == (row.elapsed_us, row.target_us)
            assert part.decided_at == from_us(row.decided_us)
            assert (part.warned, part.next_check_at) == (row.warn, from_us(row.next_check_us))
            assert part.held is (row.state is ClockState.PAUSED)


def shift(*later: tuple[timedelta, str]) -> list[ClockFact]:
    """A shift of eight hours from an hour after T0, of which four fifths have to be staffed."""
    unit = UUID(int=7)
    plan = {"from_at": (T0 + HOUR).isoformat(), "until_at": (T0 + 9 * HOUR).isoformat()}
    facts = [ClockFact(unit, kind, T0, plan) for kind in ("shift.planned", "shift.published")]
    return [*facts, *(ClockFact(unit, kind, T0 + after, {}) for after, kind in later)]


def cover(facts: list[ClockFact], at: timedelta) -> JudgedPart:
    rows = judged({UUID(int=7): ("shift", facts)}, facts, T0 + at)
    return next(row for row in rows.values() if row.term.kind is PromiseKind.SHIFT_COVERED)


def test_a_planned_shift_is_evaluated_when_it_begins_and_when_it_ends() -> None:
    facts = shift((2 * HOUR, "shift.clocked_in"))

    before, during, after = (cover(facts, hours * HOUR) for hours in (0, 3, 9))

    assert (before.state, before.next_check_at) == (State.PENDING, T0 + HOUR)
    assert (during.state, during.next_check_at) == (State.AT_RISK, T0 + 9 * HOUR)
    assert (during.due_at, during.announced_due_at) == (T0 + 9 * HOUR,) * 2
    assert (after.state, after.decided_at) == (State.KEPT, T0 + 9 * HOUR)  # 7 of 8 hours
    assert (after.elapsed_us, after.next_check_at) == (7 * 3_600_000_000, None)


def test_coverage_warns_at_shares_of_the_time_that_may_be_unstaffed() -> None:
    """Of eight hours, 96 minutes may be unstaffed: it warns after 48, 72 and 86.4 of them."""
    minute = timedelta(minutes=1)
    nobody = shift()
    for after, warned, then in (
        (0 * minute, 0, 48 * minute),
        (48 * minute - timedelta.resolution, 0, 48 * minute),
        (48 * minute, 1, 72 * minute),
        (72 * minute, 2, 86.4 * minute),
        (86.4 * minute, 3, 8 * HOUR),
        (97 * minute, 3, 8 * HOUR),
    ):
        row = cover(nobody, HOUR + after)
        assert (row.warned, row.next_check_at) == (warned, T0 + HOUR + then), after
        assert (row.state, row.held) == (State.AT_RISK if warned else State.RUNNING, True)
    assert cover(nobody, 9 * HOUR).state is State.LATE

    left = shift((0 * minute, "shift.clocked_in"), (8 * HOUR, "shift.clocked_out"))
    assert cover(left, 7 * HOUR).next_check_at == T0 + 9 * HOUR  # staffed: nothing comes before
    assert cover(left, 8 * HOUR).next_check_at == T0 + 8 * HOUR + 48 * minute
    assert (cover(left, 8 * HOUR + 48 * minute).warned, cover(left, 9 * HOUR).warned) == (1, 1)


@pytest.mark.parametrize(
    ("when", "state"),
    [(0, State.CANCELLED), (1, State.CANCELLED), (2, State.CANCELLED), (3, State.LATE), (9, State.LATE)],
)  # fmt: skip
def test_a_plan_that_nobody_staffs_is_called_off_only_while_it_can_be_kept(
    when: int, state: State
) -> None:
    facts = shift((when * HOUR, "shift.cancelled"))

    row = cover(facts, 9 * HOUR)

    assert (row.state, row.decided_at is None) == (state, state is State.CANCELLED)
    assert row.stopped_at == T0 + (when if state is State.CANCELLED else 9) * HOUR
