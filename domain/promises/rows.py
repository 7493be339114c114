"""Build promise rows and their facts from verdicts: one builder for the online and the batch writer."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec

from domain.agreements.model import Priority, PromiseKind
from domain.core.base import uuid7
from domain.evaluator.version import EVALUATOR
from domain.promises import events
from domain.promises.model import State
from domain.promises.translation import JudgedPart

UNDECIDED = frozenset({State.PENDING, State.RUNNING, State.PAUSED, State.AT_RISK})
REVISABLE = frozenset({State.KEPT, State.LATE, State.CANCELLED})
Key = tuple[UUID, UUID, int]  # unit, term, part
PromiseEvent = TypeVar("PromiseEvent", bound=events.PromiseFact)


class PromiseRow(msgspec.Struct, frozen=True, kw_only=True):
    """Every column of a promise; a mapped object outside a session would cost a third of the evaluation time."""

    id: UUID
    tenant_id: UUID
    account_id: UUID
    unit_kind: str
    unit_id: UUID
    agreement_id: UUID
    terms_id: UUID
    term_id: UUID
    part: int
    kind: PromiseKind
    name: str
    priority: Priority
    internal: bool
    state: State
    held: bool
    started_at: datetime | None
    stopped_at: datetime | None
    due_at: datetime | None
    announced_due_at: datetime | None
    decided_at: datetime | None
    target_us: int
    elapsed_us: int
    paused_us: int
    warned: int
    next_check_at: datetime | None
    evaluated_at: datetime
    evaluator: int


class WatchedUnit(Protocol):
    """A unit under promise, as a mapped object or a plain row."""

    @property
    def tenant_id(self) -> UUID:
        """The company."""

    @property
    def unit_kind(self) -> str:
        """The kind of unit."""


class Stored(Protocol):
    """A stored promise, as a mapped object or a plain row; it has every column of `PromiseRow`."""

    @property
    def id(self) -> UUID:
        """The id of the row."""

    @property
    def state(self) -> State:
        """The stored state."""

    @property
    def warned(self) -> int:
        """The stored number of warning thresholds that have passed."""


class RowChange(NamedTuple):
    """A promise as it should be stored, and the facts to record for the change."""

    row: PromiseRow
    facts: Sequence[events.PromiseFact]


COLUMNS = PromiseRow.__struct_fields__
VERDICT = (
    "priority",
    "state",
    "held",
    "started_at",
    "stopped_at",
    "due_at",
    "announced_due_at",
    "decided_at",
    "target_us",
    "elapsed_us",
    "paused_us",
    "warned",
    "next_check_at",
)
"""The columns that a verdict determines."""
COMPARED = (*VERDICT, "evaluator")
"""The columns that are compared to find out whether a stored row differs from the ledger."""
values_of = attrgetter(*COLUMNS)
compared_of = attrgetter(*COMPARED)
_verdict_of = attrgetter(*VERDICT)


def key_of(judged: JudgedPart) -> Key:
    """Return the unit, term and part of a verdict."""
    return judged.unit_id, judged.term.id, judged.part


def computed(judged: JudgedPart) -> tuple[Any, ...]:
    """Return the compared columns of the kernel's result."""
    return (*_verdict_of(judged), EVALUATOR)


def target_rows(
    watch: WatchedUnit, stored: Mapping[Key, Stored], judged: Sequence[JudgedPart], at: datetime
) -> list[RowChange]:
    """Return all rows of one unit as they should be at `at`, each with the facts to record."""
    found = [_judged_row(watch, stored.get(key_of(row)), row, at) for row in judged]
    current = {key_of(row) for row in judged}
    return found + [_cancelled_row(row, at) for key, row in stored.items() if key not in current]


def _judged_row(
    watch: WatchedUnit, known: Stored | None, judged: JudgedPart, at: datetime
) -> RowChange:
    term = judged.term
    row = PromiseRow(
        id=uuid7() if known is None else known.id,
        tenant_id=watch.tenant_id,
        account_id=term.account_id,
        unit_kind=watch.unit_kind,
        unit_id=judged.unit_id,
        agreement_id=term.agreement_id,
        terms_id=term.terms_id,
        term_id=term.id,
        part=judged.part,
        kind=term.kind,
        name=term.name,
        priority=judged.priority,
        internal=term.internal,
        state=judged.state,
        held=judged.held,
        started_at=judged.started_at,
        stopped_at=judged.stopped_at,
        due_at=judged.due_at,
        announced_due_at=judged.announced_due_at,
        decided_at=judged.decided_at,
        target_us=judged.target_us,
        elapsed_us=judged.elapsed_us,
        paused_us=judged.paused_us,
        warned=judged.warned,
        next_check_at=judged.next_check_at,
        evaluated_at=at,
        evaluator=EVALUATOR,
    )
    was, warned = (None, 0) if known is None else (known.state, known.warned)
    return RowChange(row, list(state_changes(row, was, warned, at)))


def _cancelled_row(known: Stored, at: datetime) -> RowChange:
    """Cancel a stored row whose clock never ran, according to later facts."""
    row = PromiseRow(**dict(zip(COLUMNS, values_of(known), strict=True)))
    if row.state is State.CANCELLED:
        return RowChange(row, [])
    row = msgspec.structs.replace(
        row,
        state=State.CANCELLED,
        decided_at=None,
        next_check_at=None,
        stopped_at=None,
        announced_due_at=None,
        evaluated_at=at,
    )
    return RowChange(row, [_fact(events.Cancelled, row, at)])


def state_changes(
    row: PromiseRow, was: State | None, warned: int, at: datetime
) -> Iterator[events.PromiseFact]:
    """Yield the facts to record for the change from the state stored before to the one in `row`."""
    if was is None and row.started_at is not None:
        yield _fact(events.Started, row, row.started_at)
    if row.state is State.CANCELLED:
        if was is not State.CANCELLED:
            yield _fact(events.Cancelled, row, row.stopped_at or at)
        return
    if was in REVISABLE and was is not row.state:
        yield _fact(events.VerdictRevised, row, at, was=str(was), now=str(row.state))
    if row.state in UNDECIDED and row.warned > warned:
        yield _fact(events.AtRisk, row, at, warned=row.warned)
    if row.decided_at is not None and was is not row.state:
        verdict = events.PromiseKept if row.state is State.KEPT else events.Breached
        yield _fact(verdict, row, row.decided_at)


def _fact(kind: type[PromiseEvent], row: PromiseRow, at: datetime, **more: Any) -> PromiseEvent:
    return kind(
        account_id=row.account_id,
        subject_id=row.id,
        at=at,
        **events.unit_fields(row.unit_kind, row.unit_id),
        term_id=row.term_id,
        name=row.name,
        promise_kind=row.kind,
        part=row.part,
        due_at=row.due_at,
        elapsed_us=row.elapsed_us,
        target_us=row.target_us,
        internal=row.internal,
        **more,
    )
