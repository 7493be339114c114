"""Deferrals: periodic work that failed waits for its next attempt, so that it does not hold up other work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Index,
    SQLColumnExpression,
    Subquery,
    UniqueConstraint,
    Uuid,
    column,
    delete,
    exists,
    func,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped

from domain.core.base import Base, Tenanted, uuid7

FIRST = timedelta(seconds=10)
LONGEST = timedelta(hours=1)
LOCKED = timedelta(seconds=2)
"""How long work waits whose rows other work holds: that is nobody's fault, and is over soon."""

_TENANTS = table(
    "tenant", column("id", Uuid)
)  # by name, because this module must not import `domain.accounts`


class Deferral(Base, Tenanted):
    """One piece of periodic work that failed, or (without attempts) found a row locked; deleted when it succeeds."""

    __tablename__ = "deferral"
    __table_args__ = (UniqueConstraint("part", "subject_id"), Index(None, "next_try_at"))

    part: Mapped[str]
    """The kind of work, such as `months`."""
    subject_id: Mapped[UUID]
    """The row that the work is about: an agreement, an incident, an account, a plan, …"""
    attempts: Mapped[int]
    since: Mapped[datetime]
    next_try_at: Mapped[datetime]
    error: Mapped[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """The row that a piece of periodic work is about, and its company."""

    tenant_id: UUID
    id: UUID


def is_deferred(
    part: str, subject_id: InstrumentedAttribute[UUID], *, at: datetime | None = None
) -> ColumnElement[bool]:
    """Return the condition that this work waits for its next attempt; used by the select that finds due work."""
    return exists().where(
        Deferral.part == part,
        Deferral.subject_id == subject_id,
        Deferral.next_try_at > (at or func.now()),
    )


def rank_of(
    tenant_id: InstrumentedAttribute[UUID], *order: SQLColumnExpression[Any]
) -> ColumnElement[int]:
    """Return the rank of a row among those of its company; ordering by it serves the companies alternately."""
    return func.row_number().over(partition_by=tenant_id, order_by=order)


def in_turn(
    tenant_id: InstrumentedAttribute[UUID],
    due_at: InstrumentedAttribute[datetime | None],
    subject_id: InstrumentedAttribute[UUID],
    *conditions: ColumnElement[bool],
    at: datetime,
    limit: int,
) -> Subquery:
    """Select what is due, the companies alternately (`turn`, then `lot`), the longest overdue of each first.

    It reads at most `limit` rows of each company by an index that begins with the company and the due time, so that
    a company with much overdue work neither delays the others nor makes the select slow.
    """
    due = (
        select(subject_id.label("id"), due_at.label("due_at"))
        .where(tenant_id == _TENANTS.c.id, due_at <= at, *conditions)
        .order_by(due_at)
        .limit(limit)
        .correlate(_TENANTS)
        .lateral("due")
    )
    turn = func.row_number().over(partition_by=_TENANTS.c.id, order_by=due.c.due_at)
    turns = (
        select(_TENANTS.c.id.label("tenant_id"), due.c.id, turn.label("turn"))
        .add_columns(func.random().label("lot"))
        .select_from(_TENANTS)
        .join(due, true())
        .subquery("turns")
    )
    return select(turns).order_by(turns.c.turn, turns.c.lot).limit(limit).subquery("in_turn")


async def defer(
    session: AsyncSession,
    part: str,
    subject: Subject,
    *,
    error: str,
    at: datetime,
    first: timedelta = FIRST,
) -> datetime:
    """Record a failure; return when the work is tried next: after `first`, doubled each time, at most an hour."""
    known = await session.scalar(
        select(Deferral.attempts).where(Deferral.part == part, Deferral.subject_id == subject.id)
    )
    attempts = (known or 0) + 1
    next_try_at: datetime = at + min(LONGEST, first * 2 ** min(attempts - 1, 12))
    row = insert(Deferral).values(
        id=uuid7(),
        tenant_id=subject.tenant_id,
        part=part,
        subject_id=subject.id,
        attempts=attempts,
        since=at,
        next_try_at=next_try_at,
        error=error,
    )
    names = ("attempts", "next_try_at", "error", *(() if known else ("since",)))
    changed = {name: row.excluded[name] for name in names}
    await session.execute(
        row.on_conflict_do_update(index_elements=[Deferral.part, Deferral.subject_id], set_=changed)
    )
    return next_try_at


async def wait_for_lock(
    session: AsyncSession, part: str, subject: Subject, *, at: datetime
) -> datetime:
    """Let work wait that found a row locked; return until when. It counts as no attempt, and leaves no error."""
    next_try_at = at + LOCKED
    row = insert(Deferral).values(
        id=uuid7(),
        tenant_id=subject.tenant_id,
        part=part,
        subject_id=subject.id,
        attempts=0,
        since=at,
        next_try_at=next_try_at,
        error="",
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[Deferral.part, Deferral.subject_id],
            set_={"next_try_at": row.excluded.next_try_at},
        )
    )
    return next_try_at


async def clear(session: AsyncSession, part: str, subject_id: UUID) -> None:
    """Delete the deferral of work that succeeded."""
    await session.execute(
        delete(Deferral)
        .where(Deferral.part == part, Deferral.subject_id == subject_id)
        .execution_options(synchronize_session=False)
    )


async def clear_past_due(session: AsyncSession, part: str, *, at: datetime) -> None:
    """Delete the deferrals of a part whose next attempt was due by `at`, because all due work succeeded."""
    await session.execute(
        delete(Deferral)
        .where(Deferral.part == part, Deferral.next_try_at <= at)
        .execution_options(synchronize_session=False)
    )


async def deferred(
    session: AsyncSession, *conditions: ColumnElement[bool], limit: int = 100
) -> Sequence[Deferral]:
    """List deferred work, longest first, over all companies unless conditions are given."""
    rows = await session.scalars(
        select(Deferral)
        .where(Deferral.attempts > 0, *conditions)
        .order_by(Deferral.since, Deferral.id)
        .limit(limit)
    )
    return rows.all()


async def counts(session: AsyncSession) -> dict[str, int]:
    """Count deferred work by part, over all companies."""
    failed = select(Deferral.part, func.count()).where(Deferral.attempts > 0)
    rows = await session.execute(failed.group_by(Deferral.part))
    return dict(row.tuple() for row in rows)
