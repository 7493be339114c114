"""Let clocks run, judge them, and say what changed. A row always equals what the kernel says of the ledger."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.access import Actor
from domain.base import uuid7
from domain.ledger import Entry, record
from domain.sla import events
from domain.sla.columns import CLOCKED, EVALUATOR, ClockFact, Judged, build, judge
from domain.sla.model import Promise, State, Watch

UNDECIDED = frozenset({State.PENDING, State.RUNNING, State.PAUSED, State.AT_RISK})
REVISABLE = frozenset({State.KEPT, State.LATE, State.CANCELLED})
COPIED = (
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
Told = TypeVar("Told", bound=events.PromiseFact)


class Ticket(NamedTuple):
    """What the promises need to know of a ticket."""

    id: UUID
    account_id: UUID
    kind: str
    category: str | None
    opened_at: datetime


async def watch(
    session: AsyncSession, actor: Actor, ticket: Ticket, *, at: datetime
) -> list[Promise]:
    """Pin the promises in force when the ticket was opened, and start their clocks.

    The ticket's opening fact is recorded in the same transaction. Later amendments concern later tickets.
    """
    terms = await agreements.in_force(
        session,
        ticket.account_id,
        at=ticket.opened_at,
        kind=ticket.kind,
        category=ticket.category,
    )
    session.add(
        Watch(
            tenant_id=actor.tenant_id,
            account_id=ticket.account_id,
            incident_id=ticket.id,
            term_ids=[term.id for term in terms],
        )
    )
    return await settle(session, actor, ticket.id, at=at)


async def settle(
    session: AsyncSession, actor: Actor, incident_id: UUID, *, at: datetime
) -> list[Promise]:
    """Judge a ticket's promises from all facts with an instant up to `at`, and record what changed."""
    watches = await session.scalars(
        select(Watch).where(Watch.incident_id == incident_id).with_for_update(key_share=True)
    )
    return await _judge(session, actor, watches.all(), at=at)


async def _judge(
    session: AsyncSession, actor: Actor, watches: Collection[Watch], *, at: datetime
) -> list[Promise]:
    if not watches:
        return []
    ids = [watch.incident_id for watch in watches]
    terms = await agreements.terms_by_id(session, {t for w in watches for t in w.term_ids})
    specs = await calendars.specs(session, {t.calendar_version_id for t in terms.values()})
    facts = await session.execute(
        select(Entry.subject_id, Entry.kind, Entry.at, Entry.body)
        .where(Entry.subject_id.in_(ids), Entry.kind.in_(CLOCKED))
        .order_by(Entry.id)
    )
    batch = build(
        {watch.incident_id: [terms[t] for t in watch.term_ids] for watch in watches},
        (ClockFact(*row) for row in facts),
        specs,
        at=at,
    )
    known = {
        (row.incident_id, row.term_id, row.part): row
        for row in await session.scalars(select(Promise).where(Promise.incident_id.in_(ids)))
    }
    rows: dict[UUID, list[Promise]] = {incident_id: [] for incident_id in ids}
    for judged in judge(batch, at=at):
        row = known.pop((judged.incident_id, judged.term.id, judged.part), None)
        rows[judged.incident_id].append(_write(session, actor, row, judged, at=at))
    for row in known.values():
        fact = cancelled(row, at)
        if fact is not None:
            record(session, actor, fact)
        rows[row.incident_id].append(row)
    for watch in watches:
        mine = rows[watch.incident_id]
        watch.next_check_at = _earliest(row.next_check_at for row in mine)
        watch.first_due_at = _earliest(row.announced_due_at for row in mine)
        watch.client_due_at = _earliest(row.announced_due_at for row in mine if not row.internal)
    await session.flush()
    return [row for found in rows.values() for row in found]


def _write(
    session: AsyncSession, actor: Actor, row: Promise | None, judged: Judged, *, at: datetime
) -> Promise:
    """Make the row say what the kernel says, and record the difference as facts."""
    was, warned = (None, 0) if row is None else (row.state, row.warned)
    if row is None:
        row = Promise(
            id=uuid7(),
            tenant_id=actor.tenant_id,
            **judged.belonging(),
        )
        session.add(row)
    for field in COPIED:
        setattr(row, field, getattr(judged, field))
    row.evaluated_at, row.evaluator = at, EVALUATOR
    for fact in told(row, was, warned, at):
        record(session, actor, fact)
    return row


def told(
    row: Promise, was: State | None, warned: int, at: datetime
) -> Iterator[events.PromiseFact]:
    """The facts that lead from the state somebody knew to the one that holds."""
    if was is None and row.started_at is not None:
        yield _fact(events.Started, row, row.started_at)
    if row.state is State.CANCELLED:
        if was is not State.CANCELLED:
            yield _fact(events.Cancelled, row, row.stopped_at or at)
        return
    if was in REVISABLE and was is not row.state:
        yield _fact(events.Revised, row, at, was=str(was), now=str(row.state))
    if row.state in UNDECIDED and row.warned > warned:
        yield _fact(events.AtRisk, row, at, warned=row.warned)
    if row.decided_at is not None and was is not row.state:
        verdict = events.Kept if row.state is State.KEPT else events.Breached
        yield _fact(verdict, row, row.decided_at)


def cancelled(row: Promise, at: datetime) -> events.Cancelled | None:
    """Facts that came late say that this stretch never was; None when the row says so already."""
    if row.state is State.CANCELLED:
        return None
    row.state, row.decided_at, row.next_check_at, row.evaluated_at = State.CANCELLED, None, None, at
    row.stopped_at, row.announced_due_at = None, None
    return _fact(events.Cancelled, row, at)


def _fact(kind: type[Told], row: Promise, at: datetime, **more: Any) -> Told:
    return kind(
        account_id=row.account_id,
        subject_id=row.id,
        at=at,
        incident_id=row.incident_id,
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


def _earliest(instants: Iterable[datetime | None]) -> datetime | None:
    return min((instant for instant in instants if instant is not None), default=None)
