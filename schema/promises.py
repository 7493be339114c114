"""Promises on incidents: due time, time used and left, verdict and deciding facts."""

from collections.abc import Awaitable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from domain import agreements, compensation, incidents, promises
from domain.access import Actor
from domain.agreements import ClockStart, Term, terms_by_id
from domain.calendars import CalendarSpec, specs
from domain.core.constants_cache import ConstantsCache
from domain.core.db import Sessions
from domain.core.ledger import LedgerRow
from domain.promises import State, occurrence_kinds, roles_of, rule_of
from schema.core.context import Info
from schema.core.enums import Priority, PromiseKind
from schema.core.ids import Node
from schema.core.loaders import BATCH
from schema.core.relations import to_one
from schema.core.types import enum, from_row, relation, resolver
from schema.credits import Credit
from schema.evidence import PromiseEvidence
from schema.incidents import Incident
from schema.ledger import LedgerEntry
from schema.terms import PromiseTerm

SECOND_US = 1_000_000
_hours_cache: ConstantsCache[UUID, tuple[Term, CalendarSpec]] = ConstantsCache(20_000)
"""Promises of terms with the hours of their clocks, which never change; skipping the loader saves 40 µs per promise."""


@from_row(promises.InternalFigures)
class InternalObjectiveFigures:
    """Numbers of one internal objective in a period."""

    kind: Annotated[PromiseKind, "Kind of promise that the objective is about."]
    name: Annotated[str, "Name of the objective in the terms."]
    kept: Annotated[int, "Number of times that it was met."]
    late: Annotated[int, "Number of times that it was missed."]


class Verdict(StrEnum):
    """Verdict on a promise from its clock."""

    KEPT = "kept"
    LATE = "late"


enum(
    State,
    "PromiseState",
    pending="Pending: the clock has not started.",
    running="Running: the clock runs, less than half of the time used.",
    paused="Paused: the clock does not run.",
    at_risk="At risk: the clock runs, half of the time or more used.",
    kept="Kept: the promise was fulfilled in time.",
    late="Late: the promise was broken.",
    cancelled="Cancelled without a verdict: called off before it was late, or found never to apply.",
)
enum(
    Verdict,
    "Verdict",
    kept="In time; exactly on the limit is in time.",
    late="Not in time: the limit was exceeded.",
)

Row = strawberry.Parent[promises.Promise]
_ENDED_ONCE = frozenset({PromiseKind.FIRST_RESPONSE, PromiseKind.ARRIVAL})
"""Kinds whose clock ends with the incident, if nothing ended it before."""


@from_row(promises.Promise)
class Promise(Node):
    """Promise on one incident: its due time, the time used and the verdict."""

    part: Annotated[int, "Number of the interval of a next-update promise; 0 for other kinds."]
    kind: Annotated[
        PromiseKind, "Kind of promise, which decides the events that start and stop its clock."
    ]
    name: Annotated[str, "Name of the promise in the agreement."]
    priority: Annotated[Priority, "Priority that selected the target."]
    internal: Annotated[
        bool, "Whether it is an internal objective of the company, not visible to clients."
    ]
    state: Annotated[State, "State of the promise and its clock."]
    started_at: Annotated[datetime | None, "Time at which the clock started."]
    stopped_at: Annotated[
        datetime | None, "Time at which the clock stopped, or the promise was cancelled."
    ]
    decided_at: Annotated[datetime | None, "Time of the verdict; null while undecided."]
    warned: Annotated[int, "Number of warning thresholds (50, 75, 90 %) passed so far."]

    @resolver(datetime | None, reads=("term_id", "priority", "started_at", "due_at"))
    @staticmethod
    def due_at(row: Row, info: Info) -> datetime | Awaitable[datetime | None] | None:
        """Latest time to keep the promise, without further pauses; closing time when it ends with the working hours."""
        known = _hours_cache.get(row.term_id)
        return _due_later(row, info) if known is None else _due(row, *known)

    @resolver(datetime | None)
    @staticmethod
    def breaches_at(row: Row) -> datetime | None:
        """Time after which the promise is late: the next opening time, where `dueAt` is a closing time."""
        return row.due_at

    @resolver(Verdict | None)
    @staticmethod
    def verdict(row: Row) -> Verdict | None:
        """Verdict on the promise; null while undecided."""
        return Verdict(row.state) if row.state in {State.KEPT, State.LATE} else None

    @resolver(int)
    @staticmethod
    def target_s(row: Row) -> int:
        """Allowed time in seconds of the calendar; for coverage, the time to be staffed; 0 for a measured value."""
        return max(0, row.target_us) // SECOND_US

    @resolver(int)
    @staticmethod
    def elapsed_s(row: Row, info: Info) -> int | Awaitable[int]:
        """Time used at this instant, in seconds of the calendar; for coverage, the time staffed so far."""
        return _live(row, info, "elapsed_us")

    @resolver(int)
    @staticmethod
    def remaining_s(row: Row, info: Info) -> int | Awaitable[int]:
        """Time left now, in seconds of the calendar, negative when overrun; for coverage, time still to be staffed."""
        return _live(row, info, "remaining_us")

    @resolver(int)
    @staticmethod
    def paused_s(row: Row) -> int:
        """Paused time, in seconds of the calendar."""
        return row.paused_us // SECOND_US

    incident = to_one(
        Incident,
        incidents.Incident,
        "incident_id",
        "Incident that the promise is about; null when it is about something else.",
    )

    @resolver(Node | None)
    @staticmethod
    async def unit(row: Row, info: Info) -> Any:
        """Object that the promise is about, such as an incident; null when it is not visible to you."""
        return await info.context.node(promises.units()[row.unit_kind].subject_type, row.unit_id)

    term = to_one(
        PromiseTerm, agreements.PromiseTerm, "term_id", "Promise in the terms of the agreement."
    )

    @relation("Promise")
    @staticmethod
    async def internal_objective(row: Row, info: Info) -> promises.Promise | None:
        """Stricter objective of the company for the same thing; null where there is none, and for an objective."""
        if row.internal:
            return None
        found = await info.context.children(
            promises.Promise.unit_id, row.unit_id, order=(promises.Promise.id,)
        )
        own = [
            each
            for each in found
            if each.internal
            and (each.agreement_id, each.kind, each.part) == (row.agreement_id, row.kind, row.part)
        ]
        return min(own, key=lambda each: (each.target_us, each.id), default=None)

    @resolver(Credit | None)
    @staticmethod
    async def credit(row: Row, info: Info) -> compensation.Credit | None:
        """Credit for the broken promise; null when there is none."""
        credit: compensation.Credit | None = await info.context.get_by(
            compensation.Credit.promise_id, row.id
        )
        return credit

    @resolver(list[PromiseEvidence])
    @staticmethod
    async def evidence(row: Row, info: Info) -> list[promises.PromiseEvidence]:
        """Graded evidence of what stops the clock, the best first; empty for kinds of promises that need none."""
        facts = await info.context.children(
            LedgerRow.subject_id, row.unit_id, order=(LedgerRow.id,)
        )
        term, _hours = await info.context.load(_hours_of_terms, row.term_id)
        return promises.evidence_of(facts, term)

    @resolver(list[LedgerEntry])
    @staticmethod
    async def deciding_facts(row: Row, info: Info) -> list[LedgerRow]:
        """Ledger entries that decide the verdict: the events of the clock, then the findings."""
        ticket, own = await info.context.children_of_all(
            LedgerRow.subject_id, [row.unit_id, row.id], order=(LedgerRow.id,)
        )
        deciding = set(roles_of(row.kind))
        term, _hours = await info.context.load(_hours_of_terms, row.term_id)
        grades = rule_of(row.kind).evidence if term.lowest_grade else None
        if term.clock_start is ClockStart.OCCURRED:
            deciding |= occurrence_kinds()
        until = row.stopped_at if row.kind in _ENDED_ONCE else None
        moved = [
            f
            for f in ticket
            if f.kind in deciding
            and f.body.get("client_visible") is not False
            and (until is None or f.at <= until)
        ]
        graded = [] if grades is None else [f for f in ticket if f.kind == grades.graded]
        return [*moved, *graded, *own]


def _hours_of_terms(make: Sessions, _actor: Actor) -> DataLoader[UUID, tuple[Term, CalendarSpec]]:
    """Make a loader of the terms' promises, each with the hours of its clock."""

    async def batch(keys: list[UUID]) -> Sequence[tuple[Term, CalendarSpec]]:
        found = _hours_cache.known(keys)
        if missing := [key for key in keys if key not in found]:
            async with make() as session:
                terms = await terms_by_id(session, missing)
                known = await specs(session, {each.calendar_version_id for each in terms.values()})
            loaded = {key: (terms[key], known[terms[key].calendar_version_id]) for key in missing}
            _hours_cache.add(loaded)
            found |= loaded
        return [found[key] for key in keys]

    return DataLoader(batch, max_batch_size=BATCH)


def _due(row: promises.Promise, term: Term, spec: CalendarSpec) -> datetime | None:
    due: datetime | None = promises.announced_due(
        term, spec, row.priority, started_at=row.started_at, due_at=row.due_at
    )
    return due


async def _due_later(row: promises.Promise, info: Info) -> datetime | None:
    return _due(row, *await info.context.load(_hours_of_terms, row.term_id))


def _live(row: promises.Promise, info: Info, what: str) -> int | Awaitable[int]:
    """Return seconds at the response's instant: at once when the clock's hours are known, else after loading them."""
    known = _hours_cache.get(row.term_id)
    return _later(row, info, what) if known is None else _seconds(row, known[1], info, what)


async def _later(row: promises.Promise, info: Info, what: str) -> int:
    _term, spec = await info.context.load(_hours_of_terms, row.term_id)
    return _seconds(row, spec, info, what)


def _seconds(row: promises.Promise, spec: CalendarSpec, info: Info, what: str) -> int:
    microseconds: int = getattr(promises.live(row, spec, now=info.context.at), what)
    return microseconds // SECOND_US
