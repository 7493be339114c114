"""Translate ledger facts to kernel columns and results back, the same way for one unit and for a million."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.agreements import Term
from domain.agreements.model import Priority, PromiseKind
from domain.calendars import CalendarSpec, calendars_for, capacity
from domain.evaluator.kernels.batch import verdicts
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
from domain.promises.model import UNDER_WAY, State
from domain.promises.pause_limit import (
    MARKS,
    RESUMED,
    PausedPeriod,
    PauseMark,
    is_capped,
    is_paused,
    paused_periods,
)

EVALUATOR = 2
"""Version of the evaluator; raised when the same facts, terms and calendars may get another verdict."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_RANK = {priority: rank for rank, priority in enumerate(Priority)}
_PRIORITIES = tuple(Priority)

_CLASS = {
    PromiseKind.FIRST_RESPONSE: PromiseClass.FLOW,
    PromiseKind.NEXT_UPDATE: PromiseClass.UPDATE,
    PromiseKind.ARRIVAL: PromiseClass.FLOW,
    PromiseKind.RESOLUTION: PromiseClass.FLOW,
    PromiseKind.CLOSURE: PromiseClass.FLOW,
    PromiseKind.AGREED_DATE: PromiseClass.DUE,
}
_ALWAYS = {
    "incident.opened": EventKind.START,
    "incident.paused": EventKind.PAUSE,
    "incident.resumed": EventKind.RESUME,
    "incident.prioritised": EventKind.PRIORITY,
}
_ENDS = {"incident.resolved": EventKind.STOP, "incident.closed": EventKind.STOP}
_AGAIN = {"incident.reopened": EventKind.REOPEN}
_CALLED_OFF = {"incident.called_off": EventKind.CANCEL}
_RESTORED = {"incident.reopened": EventKind.RESTORE}

ROLES: dict[PromiseKind, dict[str, EventKind]] = {
    PromiseKind.FIRST_RESPONSE: _ALWAYS
    | {
        "incident.acknowledged": EventKind.STOP,
        "incident.acknowledgement_withdrawn": EventKind.REOPEN,
    }
    | _ENDS,
    PromiseKind.NEXT_UPDATE: _ALWAYS | _ENDS | _AGAIN | {"incident.updated": EventKind.UPDATE},
    PromiseKind.ARRIVAL: _ALWAYS
    | _CALLED_OFF
    | _RESTORED
    | {
        "incident.arrived": EventKind.STOP,
        "incident.arrival_withdrawn": EventKind.REOPEN,
        "incident.resolved": EventKind.CANCEL,
        "incident.closed": EventKind.CANCEL,
    },
    PromiseKind.RESOLUTION: _ALWAYS | _CALLED_OFF | _ENDS | _AGAIN,
    PromiseKind.CLOSURE: _ALWAYS | _CALLED_OFF | _AGAIN | {"incident.closed": EventKind.STOP},
    PromiseKind.AGREED_DATE: _CALLED_OFF
    | _RESTORED
    | _ENDS
    | {"incident.due_agreed": EventKind.START},
}
"""Effect of a fact on a promise's clock; facts that are not listed have no effect.

The end of an incident ends each of its clocks: a first response and an update stop, an arrival that is not late is
cancelled, and a resolution, a closure and an agreed date are cancelled when the incident was called off.
"""

CLOCK_EVENT_KINDS = frozenset(kind for roles in ROLES.values() for kind in roles)


class ClockFact(NamedTuple):
    """A ledger fact as the clocks use it, in the order of the ledger."""

    unit_id: UUID
    kind: str
    at: datetime
    body: Mapping[str, Any]


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
    agreed: dict[UUID, tuple[datetime, Priority]]  # unit → agreed date
    held: frozenset[UUID]  # units whose clocks are paused
    called_off: Mapping[
        UUID, datetime
    ]  # units whose agreed date is no longer needed, and since when


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


def build(
    attached: Mapping[UUID, Sequence[Term]],
    facts: Iterable[ClockFact],
    specs: Mapping[UUID, CalendarSpec],
    *,
    at: datetime,
) -> ClockColumns:
    """Build the columns of units and their pinned promises; `facts` in ledger order."""
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
    agreed: dict[UUID, tuple[datetime, Priority]] = {}
    marks: dict[UUID, list[PauseMark]] = {}
    dated: dict[UUID, list[tuple[datetime, EventKind]]] = {}
    rows: list[Event] = []
    for fact in facts:
        if is_capped(fact.kind, fact.body):
            continue
        if fact.kind in MARKS:
            marks.setdefault(fact.unit_id, []).append(PauseMark(fact.at, fact.kind))
        if fact.kind == "incident.due_agreed":
            due_at = datetime.fromisoformat(fact.body["due_at"])
            agreed.setdefault(fact.unit_id, (due_at, Priority(fact.body["priority"])))
        elif "priority" in fact.body:
            priorities[fact.unit_id].append((fact.at, Priority(fact.body["priority"])))
        meaning = ROLES[PromiseKind.AGREED_DATE].get(fact.kind)
        if meaning is not None and fact.at <= at:
            dated.setdefault(fact.unit_id, []).append((fact.at, meaning))
        rows.extend(_events(fact, attached[fact.unit_id], unit_of, row_of))
    held: set[UUID] = set()
    for unit, found in marks.items():
        stretches = paused_periods(found)
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
        agreed=agreed,
        held=frozenset(held),
        called_off={
            unit: since
            for unit in agreed
            if (since := _called_off(dated.get(unit, ()))) is not None
        },
    )


def _called_off(facts: Sequence[tuple[datetime, EventKind]]) -> datetime | None:
    """Return when a future agreed date stopped being needed, in the form the kernel uses once the date has come."""
    since = None
    for when, kind in sorted(facts, key=lambda fact: fact[0]):
        if kind is EventKind.STOP and since is None:
            return None
        if kind is EventKind.CANCEL and since is None:
            since = when
        elif kind is EventKind.RESTORE:
            since = None
    return since


def judge(batch: ClockColumns, *, at: datetime) -> list[JudgedPart]:
    """Return the verdicts of a batch at `at`, by term, unit and part; future agreed dates come last."""
    found = verdicts(batch.events, batch.promises, batch.calendars, to_us(at))
    judged = list(_rows(batch, found))
    return judged + _pending(batch, judged, at)


def dimension(term: Term, calendar: int, spec: CalendarSpec | None = None) -> PromiseInput:
    """Convert a term to a row of the promise dimension; `calendar` is the row of its calendar.

    A target that the calendar `spec` can never hold is cut to the longest that it can. Such terms are refused when they
    are signed; older ones must not stop the units and the sweeps of their account.
    """
    held = None if spec is None else capacity(spec)
    targets = [term.targets.get(priority) for priority in Priority]
    if term.kind is PromiseKind.AGREED_DATE:
        targets_us = [0] * len(targets)  # the date itself is the limit
        days = [-1] * len(targets)
    else:
        targets_us = [
            -1 if t is None or t.elapsed_s is None else t.elapsed_s * _SECOND_US for t in targets
        ]
        days = [-1 if t is None or t.business_days is None else t.business_days for t in targets]
    return PromiseInput(
        cls=_CLASS[term.kind],
        target_us=targets_us if held is None else [min(us, held.working_us) for us in targets_us],
        business_days=days if held is None else [min(n, held.business_days) for n in days],
        calendar=calendar,
        objective_ppm=term.objective_ppm,
        pausable=term.pausable,
    )


def _events(
    fact: ClockFact, terms: Sequence[Term], unit_of: Mapping[UUID, int], row_of: Mapping[UUID, int]
) -> Iterator[Event]:
    """Translate one fact to clock events, one for each promise that it affects."""
    body = fact.body
    if fact.kind == "incident.updated" and not (body["client_visible"] and body["from_us"]):
        return  # updates by clients and by machines do not count as the company's update
    instant = datetime.fromisoformat(body["due_at"]) if "due_at" in body else fact.at
    rank = _RANK[Priority(body["priority"])] if "priority" in body else 0
    # An imported end shortly before the opening was moved to the opening; for a date, the original time counts.
    said = datetime.fromisoformat(body["said_at"]) if "said_at" in body else instant
    for term in terms:
        kind = ROLES[term.kind].get(fact.kind)
        if kind is not None:
            when = said if term.kind is PromiseKind.AGREED_DATE else instant
            yield Event(to_us(when), row_of[term.id], unit_of[fact.unit_id], kind, rank)


def _derived(
    stretches: Iterable[PausedPeriod], terms: Sequence[Term], unit: int, row_of: Mapping[UUID, int]
) -> Iterator[Event]:
    """Add resumptions that no fact records: at the end of the allowance, and at a resolution or closing."""
    for hold in stretches:
        if hold.is_told:
            continue
        for term in terms:
            kind = ROLES[term.kind].get(RESUMED)
            if kind is not None:
                yield Event(to_us(hold.until_at), row_of[term.id], unit, kind, 0)


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
        if term.kind is PromiseKind.AGREED_DATE:
            priority = batch.agreed[unit][1]
        else:
            priority = _in_force(batch.priorities[unit], decided)
        stands = states.get(state, State.AT_RISK if warned else State.RUNNING)
        yield JudgedPart(
            unit_id=unit,
            term=term,
            part=part,
            priority=priority,
            state=stands,
            held=term.pausable and unit in batch.held,
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


def _in_force(changes: Sequence[tuple[datetime, Priority]], when: datetime | None) -> Priority:
    """Return the priority at `when`, or the latest one while there is no verdict."""
    past = [c for c in enumerate(changes) if when is None or c[1][0] <= when]
    return max(past or enumerate(changes[:1]), key=lambda c: (c[1][0], c[0]))[1][1]


def _pending(batch: ClockColumns, judged: Sequence[JudgedPart], at: datetime) -> list[JudgedPart]:
    """Add agreed dates in the future, because the kernel ignores future events."""
    measured = {(row.unit_id, row.term.id) for row in judged}
    return [
        JudgedPart(
            unit_id=unit,
            term=term,
            part=0,
            priority=priority,
            state=State.CANCELLED if unit in batch.called_off else State.PENDING,
            held=False,
            started_at=None,
            stopped_at=batch.called_off.get(unit),
            due_at=due_at,
            decided_at=None,
            target_us=0,
            elapsed_us=0,
            paused_us=0,
            warned=0,
            next_check_at=None if unit in batch.called_off else due_at,
        )
        for unit, (due_at, priority) in batch.agreed.items()
        for term in batch.attached[unit]
        if due_at > at and term.kind is PromiseKind.AGREED_DATE and (unit, term.id) not in measured
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
