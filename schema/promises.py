"""Promises on the clock: due when, how much time has run this very moment, kept or late, and what decided it."""

from collections.abc import Awaitable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from domain import agreements, compensation, incidents, promises
from domain.calendars import CalendarSpec
from domain.core.ledger import LedgerRow
from domain.promises import State
from domain.promises.translation import ROLES
from schema.agreements import PromiseTerm
from schema.core.context import Info
from schema.core.enums import Priority, PromiseKind
from schema.core.ids import Node
from schema.core.loaders import clock_seen
from schema.core.types import enum, from_row, resolver
from schema.credits import Credit
from schema.incidents import Incident
from schema.ledger import LedgerEntry

SECOND_US = 1_000_000


class Verdict(StrEnum):
    """What was found when a clock was judged."""

    KEPT = "kept"
    LATE = "late"


enum(
    State, "PromiseState",
    pending="It has not begun.", running="Its clock runs.", paused="Its clock stands still.",
    at_risk="Its clock runs and half of the time or more is gone.", kept="It was kept.",
    late="It was broken.", cancelled="It ended without a verdict: called off before it was late, or it never held.",
)  # fmt: skip
enum(Verdict, "Verdict", kept="In time; on the limit is in time.", late="Not in time.")

Row = strawberry.Parent[promises.Promise]
_ENDED_ONCE = frozenset({PromiseKind.FIRST_RESPONSE, PromiseKind.ARRIVAL})
"""Kinds whose clock the end of the incident ends only when nothing ended it before."""


@from_row(promises.Promise)
class Promise(Node):
    """One promise about one ticket: due when, how much time has run, kept or late."""

    part: Annotated[int, "Which interval of a next-update promise; 0 for others."]
    kind: Annotated[PromiseKind, "What is promised."]
    name: Annotated[str, "What the agreement calls it."]
    priority: Annotated[Priority, "The priority whose target holds."]
    internal: Annotated[bool, "The company's own objective; clients are not shown these."]
    state: Annotated[State, "How it stands."]
    started_at: Annotated[datetime | None, "When its clock began."]
    stopped_at: Annotated[datetime | None, "When its clock stopped, or when it was called off."]
    decided_at: Annotated[datetime | None, "When the verdict fell."]
    warned: Annotated[int, "How many of the warning thresholds (50, 75, 90 %) have passed."]

    @resolver(datetime | None)
    @staticmethod
    async def due_at(row: Row, info: Info) -> datetime | None:
        """Until when it is kept, if its clock is not held again: closing time when it ends with the working hours."""
        term, spec = await info.context.loaders.hours_of_term.load(row.term_id)
        due: datetime | None = promises.announced_due(
            term, spec, row.priority, started_at=row.started_at, due_at=row.due_at
        )
        return due

    @resolver(datetime | None)
    @staticmethod
    def breaches_at(row: Row) -> datetime | None:
        """The instant after which it is late: the next opening, where `dueAt` is closing time."""
        return row.due_at

    @resolver(Verdict | None)
    @staticmethod
    def verdict(row: Row) -> Verdict | None:
        """Kept or late; null while undecided."""
        return Verdict(row.state) if row.state in {State.KEPT, State.LATE} else None

    @resolver(int)
    @staticmethod
    def target_s(row: Row) -> int:
        """How many seconds of its calendar are allowed."""
        return row.target_us // SECOND_US

    @resolver(int)
    @staticmethod
    def elapsed_s(row: Row, info: Info) -> int | Awaitable[int]:
        """How many seconds of its calendar have run, this very moment."""
        return _live(row, info, "elapsed_us")

    @resolver(int)
    @staticmethod
    def remaining_s(row: Row, info: Info) -> int | Awaitable[int]:
        """How many seconds of its calendar are left, this very moment; negative once overrun."""
        return _live(row, info, "remaining_us")

    @resolver(int)
    @staticmethod
    def paused_s(row: Row) -> int:
        """How many seconds of its calendar it stood still."""
        return row.paused_us // SECOND_US

    @resolver(Incident | None)
    @staticmethod
    async def incident(row: Row, info: Info) -> incidents.Incident | None:
        """The ticket it is about."""
        return await info.context.loaders.incident.load(row.incident_id)

    @resolver(PromiseTerm | None)
    @staticmethod
    async def term(row: Row, info: Info) -> agreements.PromiseTerm | None:
        """The promise in the agreement."""
        return await info.context.loaders.promise_term.load(row.term_id)

    @resolver(Credit | None)
    @staticmethod
    async def credit(row: Row, info: Info) -> compensation.Credit | None:
        """What the client gets back for it."""
        return await info.context.loaders.credit_of_promise.load(row.id)

    @resolver(list[LedgerEntry])
    @staticmethod
    async def deciding_facts(row: Row, info: Info) -> list[LedgerRow]:
        """The ledger entries its verdict follows from: what moved its clock, then what was found."""
        loader = info.context.loaders.facts_of_subject
        ticket, own = await loader.load_many([row.incident_id, row.id])
        roles = ROLES[row.kind]
        until = row.stopped_at if row.kind in _ENDED_ONCE else None
        moved = [
            f
            for f in ticket
            if f.kind in roles
            and f.body.get("client_visible") is not False
            and (until is None or f.at <= until)
        ]
        return [*moved, *own]


def _live(row: promises.Promise, info: Info, what: str) -> int | Awaitable[int]:
    """Seconds at the answer's instant; at once when the clock's hours are known, else when they are loaded."""
    spec = clock_seen(row.term_id)
    return _later(row, info, what) if spec is None else _seconds(row, spec, info, what)


async def _later(row: promises.Promise, info: Info, what: str) -> int:
    spec = await info.context.loaders.clock_of_term.load(row.term_id)
    return _seconds(row, spec, info, what)


def _seconds(row: promises.Promise, spec: CalendarSpec, info: Info, what: str) -> int:
    microseconds: int = getattr(promises.live(row, spec, now=info.context.at), what)
    return microseconds // SECOND_US
