"""The outbox: one row a consequence, unique by (fact, job); pending work lives here, Redis only hurries it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.base import Base, Tenanted


class OutboxState(StrEnum):
    """How far a consequence came."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class Outbox(Base, Tenanted):
    """One consequence of one fact, to be executed once."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("fact_id", "job"),
        Index("ix_outbox_due", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_outbox_open", "tenant_id", "id", postgresql_where=text("state <> 'done'")),
    )

    fact_id: Mapped[int] = mapped_column(ForeignKey("ledger.id"))
    job: Mapped[str]
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    error: Mapped[str | None]


async def begin(
    session: AsyncSession, outbox_id: UUID, *, at: datetime, lease: timedelta
) -> int | None:
    """Count one more attempt and keep others away for `lease`; the attempt's number, or None: nothing to do.

    Committed before the work starts, so that work which kills its process is counted too. None means that it is
    done, dead, or in somebody's hands.
    """
    free = (
        select(Outbox.id)
        .where(Outbox.id == outbox_id, Outbox.state == OutboxState.PENDING)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    attempt: int | None = await session.scalar(
        update(Outbox)
        .where(Outbox.id == free)
        .values(attempts=Outbox.attempts + 1, due_at=at + lease)
        .returning(Outbox.attempts)
    )
    return attempt


async def hold(session: AsyncSession, outbox_id: UUID, *, attempt: int) -> Outbox | None:
    """Lock the row for the work of this attempt; None when a later attempt, or another end, came in between."""
    row: Outbox | None = await session.scalar(
        select(Outbox)
        .where(
            Outbox.id == outbox_id,
            Outbox.state == OutboxState.PENDING,
            Outbox.attempts == attempt,
        )
        .with_for_update(skip_locked=True)
    )
    return row


def finish(row: Outbox, *, at: datetime) -> None:
    """Mark the consequence done, in the transaction of its effect."""
    row.state, row.done_at, row.error = OutboxState.DONE, at, None


async def fail(
    session: AsyncSession, outbox_id: UUID, *, attempt: int, error: str, again_at: datetime | None
) -> None:
    """Write down why an attempt failed; it is tried `again_at`, or never again."""
    state = OutboxState.DEAD if again_at is None else OutboxState.PENDING
    await session.execute(
        update(Outbox)
        .where(
            Outbox.id == outbox_id,
            Outbox.state == OutboxState.PENDING,
            Outbox.attempts == attempt,
        )
        .values(state=state, error=error, due_at=func.coalesce(again_at, Outbox.due_at))
    )


async def postpone(
    session: AsyncSession, outbox_id: UUID, *, attempt: int, until: datetime
) -> None:
    """It was not yet time: what was counted as an attempt was none."""
    await session.execute(
        update(Outbox)
        .where(
            Outbox.id == outbox_id,
            Outbox.state == OutboxState.PENDING,
            Outbox.attempts == attempt,
        )
        .values(attempts=Outbox.attempts - 1, due_at=until)
    )


async def hand_out(
    session: AsyncSession, *, at: datetime, lease: timedelta, limit: int
) -> list[UUID]:
    """Rows that are due and in nobody's hands, oldest first; due again only after `lease`."""
    due = (
        select(Outbox.id)
        .where(Outbox.state == OutboxState.PENDING, Outbox.due_at <= at)
        .order_by(Outbox.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = await session.scalars(
        update(Outbox).where(Outbox.id == due.c.id).values(due_at=at + lease).returning(Outbox.id)
    )
    return list(rows)


async def hand_back(session: AsyncSession, outbox_ids: Collection[UUID], *, at: datetime) -> None:
    """Make rows due now: whoever was to be told of them was not reached."""
    await session.execute(
        update(Outbox)
        .where(Outbox.id.in_(outbox_ids), Outbox.state == OutboxState.PENDING)
        .values(due_at=at)
    )


async def revive(
    session: AsyncSession, *conditions: ColumnElement[bool], at: datetime
) -> list[tuple[UUID, int, str]]:
    """Let consequences that were given up, or wait for their next attempt, be tried now, as if for the first time.

    Row, fact and job of each; the caller brings the fence. The last error stays until one succeeds.
    """
    rows = await session.execute(
        update(Outbox)
        .where(Outbox.state != OutboxState.DONE, *conditions)
        .values(state=OutboxState.PENDING, attempts=0, due_at=at)
        .returning(Outbox.id, Outbox.fact_id, Outbox.job)
        .execution_options(synchronize_session=False)
    )
    return [(row_id, fact_id, job) for row_id, fact_id, job in rows]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Consequences that are not done: waiting (of them after a failure), since when the oldest is due, given up."""

    pending: int
    failed: int
    oldest_due_at: datetime | None
    dead: int


async def backlog(session: AsyncSession, *conditions: ColumnElement[bool]) -> Backlog:
    """What is left to do, over all tenants unless there are conditions."""
    pending, failed, oldest_due_at, dead = (
        await session.execute(
            select(
                func.count().filter(Outbox.state == OutboxState.PENDING),
                func.count().filter(Outbox.state == OutboxState.PENDING, Outbox.error.is_not(None)),
                func.min(Outbox.due_at).filter(Outbox.state == OutboxState.PENDING),
                func.count().filter(Outbox.state == OutboxState.DEAD),
            ).where(Outbox.state != OutboxState.DONE, *conditions)
        )
    ).one()
    return Backlog(pending, failed, oldest_due_at, dead)
