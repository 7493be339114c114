"""Translate ledger facts to kernel columns and results back, the same way for one unit and for a million."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.agreements import Term
from domain.agreements.model import ClockStart, Priority, PromiseKind
from domain.calendars import CalendarSpec, calendars_for, capacity
from domain.evaluator.kernels.batch import WARN_PPM, verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import (
    Calendars,
    Event,
    Events,
    PromiseInput,
    Promises,
    Verdicts,
    event_columns,
    promise_columns,
)
from domain.promises.announced_due import announced_due
from domain.promises.graded import graded_stop
from domain.promises.model import UNDER_WAY, State
from domain.promises.pause_limit import (
    MARKS,
    PAUSE_ALLOWANCE,
    RESUMED,
    PausedPeriod,
    PauseMark,
    is_capped,
    is_paused,
    paused_periods,
)
from domain.promises.registry import dated_roles, occurrence_kinds, rule_of
from domain.promises.roles import FactRole

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_RANK = {priority: rank for rank, priority in enumerate(Priority)}
_PRIORITIES = tuple(Priority)


class ClockFact(NamedTuple):
    """A ledger fact as the clocks use it, in the order of the ledger."""

    unit_id: UUID
    kind: str
    at: datetime
    body: Mapping[str, Any]


class DueDate(NamedTuple):
    """When a unit is due or its plan begins, and the priority that was stated with it."""

    at: datetime
    priority: Priority | None


DueKey = tuple[UUID, PromiseKind]  # unit, kind of promise


class ClockColumns(NamedTuple):
    """Kernel columns of units, with the terms of their rows and the ids of their units."""

    attached: Mapping[UUID, Sequence[Term]]
    terms: list[Term]  # row of the promise dimension → term
    units: list[UUID]  # number of a unit in the columns → its id
    events: Events
    promises: Promises
    calendars: Calendars
    specs: Mapping[UUID, CalendarSpec]  # hours by calendar version
    priorities: dict[
        UUID, list[tuple[datetime, Priority]]
    ]  # unit → its priorities and their start times
    due: dict[DueKey, DueDate]  # known beginnings: when a unit is due, or its plan begins
    ends: dict[DueKey, datetime]  # known ends of plans
    held: frozenset[UUID]  # units whose clocks are paused
    called_off: Mapping[DueKey, datetime]  # those that are no longer needed, and since when


class JudgedPart(NamedTuple):
    """Result of the kernel for one part of one promise, with the columns of a `Promise` row."""

    unit_id: UUID
    term: Term
    part: int
    priority: Priority
    state: State
    held: bool
    started_at: datetime | None
    stopped_at: datetime | None
    due_at: datetime | None
    decided_at: datetime | None
    target_us: int
    elapsed_us: int
    paused_us: int
    warned: int
    next_check_at: datetime | None
    announced_due_at: datetime | None = None


def to_us(instant: datetime) -> int:
    """Convert to microseconds since 1970-01-01Z, exactly."""
    return (instant - _EPOCH) // _TICK


def from_us(us: int) -> datetime | None:
    """Convert microseconds to an aware datetime; None for the kernel's -1."""
    return None if us < 0 else _EPOCH + us * _TICK


class _Dates(NamedTuple):
    """What is known of dates, also of future ones."""

    due: dict[DueKey, DueDate]
    ends: dict[DueKey, datetime]
    changes: dict[DueKey, list[tuple[datetime, EventKind]]]

    def add(self, fact: ClockFact, stated: Priority | None, at: datetime) -> bool:
        """Note the dates of a fact; return whether it sets one."""
        sets = False
        for kind, role in dated_roles().get(fact.kind, ()):
            key = (fact.unit_id, kind)
            if role.event is EventKind.START:
                self.due.setdefault(key, DueDate(_time_of(fact, role), stated))
                sets = True
            elif role.event is EventKind.STOP and rule_of(kind).cls is PromiseClass.COVER:
                self.ends.setdefault(key, _time_of(fact, role))
            elif all(fact.body[flag] for flag in role.flags):
                when = _time_of(fact, role)
                if when <= at:
                    self.changes.setdefault(key, []).append((when, role.event))
        return sets


def build(
    attached: Mapping[UUID, Sequence[Term]],
    facts: Iterable[ClockFact],
    specs: Mapping[UUID, CalendarSpec],
    *,
    at: datetime,
    allowances: Mapping[UUID, timedelta] | None = None,
) -> ClockColumns:
    """Build the columns of units and their pinned promises; `facts` in ledger order.

    `allowances` are how long the clocks of units may be paused, where it is not the default.
    """
    terms = list({term.id: term for found in attached.values() for term in found}.values())
    row_of = {term.id: row for row, term in enumerate(terms)}
    versions = list(dict.fromkeys(term.calendar_version_id for term in terms))
    calendar_of = {version: row for row, version in enumerate(versions)}
    promises = promise_columns(
        dimension(term, calendar_of[term.calendar_version_id], specs[term.calendar_version_id])
        for term in terms
    )
    units = list(attached)
    unit_of = {unit: number for number, unit in enumerate(units)}
    priorities: dict[UUID, list[tuple[datetime, Priority]]] = {unit: [] for unit in units}
    dates = _Dates({}, {}, {})
    marks: dict[UUID, list[PauseMark]] = {}
    roles = {term.kind: rule_of(term.kind).roles for term in terms}
    graded = {term.kind: rule_of(term.kind).without_evidence for term in terms if term.lowest_grade}
    evidence: dict[UUID, list[ClockFact]] = {}
    facts = list(facts)
    occurred = _occurrences(facts)
    rows: list[Event] = []
    for fact in facts:
        if is_capped(fact.kind, fact.body):
            continue
        if fact.kind in MARKS:
            marks.setdefault(fact.unit_id, []).append(PauseMark(fact.at, fact.kind))
        stated = Priority(fact.body["priority"]) if "priority" in fact.body else None
        is_date = dates.add(fact, stated, at)
        if stated is not None and not is_date:
            priorities[fact.unit_id].append((fact.at, stated))
        if graded:
            evidence.setdefault(fact.unit_id, []).append(fact)
        number = unit_of[fact.unit_id]
        for term in attached[fact.unit_id]:
            known = roles if term.lowest_grade is None else graded
            found_role = known[term.kind].get(fact.kind)
            if found_role is not None and all(fact.body[flag] for flag in found_role.flags):
                when = _time_for(term, fact, found_role, occurred.get(fact.unit_id))
                if when is not None:
                    rows.append(_event(fact, found_role, when, row_of[term.id], number, stated))
    for unit, unit_facts in evidence.items():
        rows += _graded_stops(unit_facts, attached[unit], unit_of[unit], row_of)
    held: set[UUID] = set()
    for unit, found in marks.items():
        stretches = paused_periods(found, (allowances or {}).get(unit, PAUSE_ALLOWANCE))
        rows += _derived(stretches, attached[unit], unit_of[unit], row_of)
        if is_paused(stretches, at):
            held.add(unit)
    calendars = calendars_for(
        [specs[version] for version in versions],
        promises,
        min((row.ts for row in rows), default=to_us(at)),
        to_us(at),
    )
    return ClockColumns(
        attached=attached,
        terms=terms,
        units=units,
        events=event_columns(rows),
        promises=promises,
        calendars=calendars,
        specs=specs,
        priorities=priorities,
        due=dates.due,
        ends=dates.ends,
        held=frozenset(held),
        called_off={
            key: since
            for key in dates.due
            if (since := _called_off(dates.changes.get(key, ()))) is not None
        },
    )


def _called_off(facts: Sequence[tuple[datetime, EventKind]]) -> datetime | None:
    """Return when a future date stopped being needed, in the form the kernel uses once the date has come."""
    since, is_done = None, False
    for when, kind in sorted(facts, key=lambda fact: fact[0]):
        if kind is EventKind.STOP and since is None:
            is_done = True
        elif kind is EventKind.CANCEL and since is None and not is_done:
            since = when
        elif kind is EventKind.RESTORE:
            since = None
        elif kind is EventKind.REOPEN:
            since, is_done = None, False
    return since


def judge(
    batch: ClockColumns, *, at: datetime, warn_ppm: Sequence[int] = WARN_PPM
) -> list[JudgedPart]:
    """Return the verdicts of a batch at `at`, by term, unit and part; future dates come last.

    Promises warn when these shares of their time, in ppm, have passed.
    """
    found = verdicts(batch.events, batch.promises, batch.calendars, to_us(at), warn_ppm)
    judged = list(_rows(batch, found))
    return judged + _pending(batch, judged, at)


def dimension(term: Term, calendar: int, spec: CalendarSpec | None = None) -> PromiseInput:
    """Convert a term to a row of the promise dimension; `calendar` is the row of its calendar.

    A target that the calendar `spec` can never hold is cut to the longest that it can. Such terms are refused when they
    are signed; older ones must not stop the units and the sweeps of their account.
    """
    held = None if spec is None else capacity(spec)
    rule = rule_of(term.kind)
    targets = [term.targets.get(priority) for priority in Priority]
    if not rule.prioritised:
        targets = [next(iter(term.targets.values()), None)] * len(targets)
    if term.kind is PromiseKind.AGREED_DATE:
        targets_us = [0] * len(targets)  # the date itself is the limit
        days = [-1] * len(targets)
    else:
        targets_us = [
            -1 if t is None or t.elapsed_s is None else t.elapsed_s * _SECOND_US for t in targets
        ]
        days = [-1 if t is None or t.business_days is None else t.business_days for t in targets]
    return PromiseInput(
        cls=rule.cls,
        target_us=targets_us if held is None else [min(us, held.working_us) for us in targets_us],
        business_days=days if held is None else [min(n, held.business_days) for n in days],
        calendar=calendar,
        objective_ppm=term.objective_ppm,
        pausable=term.pausable,
        pass_mark=rule.pass_mark,
        full_mark=rule.full_mark,
    )


def _event(
    fact: ClockFact, role: FactRole, when: datetime, row: int, unit: int, stated: Priority | None
) -> Event:
    """Translate one fact to the clock event that it is for one promise."""
    rank = 0 if stated is None else _RANK[stated]
    value = 0.0 if role.value_field is None else float(fact.body[role.value_field])
    return Event(to_us(when), row, unit, role.event, rank, value)


def _occurrences(facts: Sequence[ClockFact]) -> dict[UUID, datetime]:
    """Return when units happened, by the last fact that states it; units of which nobody said it are left out."""
    kinds = occurrence_kinds()
    stated = {fact.unit_id: fact.body["occurred_at"] for fact in facts if fact.kind in kinds}
    return {unit: datetime.fromisoformat(at) for unit, at in stated.items() if at is not None}


def _time_for(
    term: Term, fact: ClockFact, role: FactRole, occurred_at: datetime | None
) -> datetime | None:
    """Return when a fact takes effect on the clock of a promise; None for no effect."""
    if role.at_occurrence:
        return occurred_at
    if role.event is EventKind.START and term.clock_start is ClockStart.OCCURRED:
        return occurred_at or _time_of(fact, role)
    return _time_of(fact, role)


def _time_of(fact: ClockFact, role: FactRole) -> datetime:
    """Return when a fact takes effect on a clock."""
    if role.time_field is not None:
        return datetime.fromisoformat(fact.body[role.time_field])
    if role.imported_time_field is not None and role.imported_time_field in fact.body:
        return datetime.fromisoformat(fact.body[role.imported_time_field])
    return fact.at


def _derived(
    stretches: Iterable[PausedPeriod], terms: Sequence[Term], unit: int, row_of: Mapping[UUID, int]
) -> Iterator[Event]:
    """Add resumptions that no fact records: at the end of the allowance, and at a resolution or closing."""
    for hold in stretches:
        if hold.is_told:
            continue
        for term in terms:
            role = rule_of(term.kind).roles.get(RESUMED)
            if role is not None:
                yield Event(to_us(hold.until_at), row_of[term.id], unit, role.event, 0)


def _graded_stops(
    facts: Sequence[ClockFact], terms: Sequence[Term], unit: int, row_of: Mapping[UUID, int]
) -> Iterator[Event]:
    """Add the stops of promises with a lowest grade: from when on the evidence that stands is good enough."""
    for term in terms:
        stop = graded_stop(facts, term)
        if stop is not None:
            yield Event(to_us(stop), row_of[term.id], unit, EventKind.STOP, 0)


def _rows(batch: ClockColumns, found: Verdicts) -> Iterator[JudgedPart]:
    states = {
        ClockState.PAUSED: State.PAUSED,
        ClockState.LATE_OPEN: State.LATE,
        ClockState.LATE_CLOSED: State.LATE,
        ClockState.KEPT: State.KEPT,
        ClockState.CANCELLED: State.CANCELLED,
    }
    columns = (
        column.tolist() for column in found[:13]
    )  # the quality score is used for health scores only
    for row in zip(*columns, strict=True):
        promise, number, part, state, warned, started, stopped, target, due, tau, *times = row
        unit, term = batch.units[number], batch.terms[promise]
        decided = from_us(tau)
        priority = _priority(batch, unit, term, decided)
        held = term.pausable and unit in batch.held
        if state == ClockState.PAUSED and rule_of(term.kind).cls is PromiseClass.COVER:
            state, held = ClockState.RUNNING, True  # the plan goes on, and nobody is there
        stands = states.get(state, State.AT_RISK if warned else State.RUNNING)
        yield JudgedPart(
            unit_id=unit,
            term=term,
            part=part,
            priority=priority,
            state=stands,
            held=held,
            started_at=from_us(started),
            stopped_at=from_us(stopped),
            due_at=from_us(due),
            decided_at=decided,
            target_us=target,
            elapsed_us=times[0],
            paused_us=times[1],
            warned=warned,
            next_check_at=from_us(times[2]),
            announced_due_at=announced_due(
                term,
                batch.specs[term.calendar_version_id],
                priority,
                started_at=from_us(started),
                due_at=from_us(due) if stands in UNDER_WAY else None,
            ),
        )


def _priority(batch: ClockColumns, unit: UUID, term: Term, decided: datetime | None) -> Priority:
    """Return the priority whose target holds: without priorities, the one that the only target is stored under."""
    rule = rule_of(term.kind)
    if not rule.prioritised:
        return next(iter(term.targets), Priority.LOW)
    if rule.cls is PromiseClass.DUE:
        stated = batch.due[unit, term.kind].priority
        if stated is not None:
            return stated
    return _in_force(batch.priorities[unit], decided)


def _in_force(changes: Sequence[tuple[datetime, Priority]], when: datetime | None) -> Priority:
    """Return the priority at `when`, or the latest one while there is no verdict."""
    past = [c for c in enumerate(changes) if when is None or c[1][0] <= when]
    return max(past or enumerate(changes[:1]), key=lambda c: (c[1][0], c[0]))[1][1]


def _pending(batch: ClockColumns, judged: Sequence[JudgedPart], at: datetime) -> list[JudgedPart]:
    """Add dates in the future, because the kernel ignores future events."""
    measured = {(row.unit_id, row.term.id) for row in judged}
    return [
        JudgedPart(
            unit_id=key[0],
            term=term,
            part=0,
            priority=_priority(batch, key[0], term, None),
            state=State.CANCELLED if key in batch.called_off else State.PENDING,
            held=False,
            started_at=None,
            stopped_at=batch.called_off.get(key),
            due_at=batch.ends.get(key, date.at),
            decided_at=None,
            target_us=0,
            elapsed_us=0,
            paused_us=0,
            warned=0,
            next_check_at=None if key in batch.called_off else date.at,
        )
        for key, date in batch.due.items()
        for term in batch.attached[key[0]]
        if date.at > at and term.kind is key[1] and (key[0], term.id) not in measured
    ]


def warm() -> None:
    """Evaluate one clock, so that no request waits for the kernels: 24 s to compile once per release, 1 s to load.

    Compiling blocks the event loop and Ctrl-C: a separate process compiles before the others start.
    """
    promises = promise_columns([PromiseInput(PromiseClass.FLOW, [1, 1, 1, 1])])
    spec = CalendarSpec(zone="UTC", always_open=True)
    verdicts(
        event_columns([Event(0, 0, 0, EventKind.START)]),
        promises,
        calendars_for([spec], promises, 0, 0),
        0,
    )
