"""The outbox: one row per job and fact. Pending work is stored here; Redis only speeds up its delivery.

Rows with the same `lane` are executed in the order of their facts. A row that is postponed on purpose, that is dead, or
that has failed for ten minutes does not block the later ones.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.orm import Mapped, aliased, mapped_column

from domain.core.base import Base, Tenanted
from domain.core.wakeups import DueColumn, WakeUp

HOLD = timedelta(minutes=10)
"""How long a failing row blocks the later rows of its lane; most mail servers recover within this time."""


class OutboxState(StrEnum):
    """State of a job in the outbox."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class Outbox(Base, Tenanted):
    """One job of one fact, to be executed once."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("fact_id", "job"),
        Index(
            "ix_outbox_due",
            "tenant_id",
            "due_at",
            "fact_id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_outbox_lane", "lane", "fact_id", postgresql_where=text("state = 'pending'")),
        Index("ix_outbox_open", "tenant_id", "id", postgresql_where=text("state <> 'done'")),
    )

    fact_id: Mapped[int] = mapped_column(ForeignKey("ledger.id"))
    job: Mapped[str]
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    """Time of the next attempt; moves with each attempt."""
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """Time when the fact was recorded; never moves, so that the lag can be measured from it."""
    lane: Mapped[int | None] = mapped_column(BigInteger)
    """Rows of one lane are executed in the order of their facts; null: in any order."""
    not_before: Mapped[datetime | None]
    """Postponed on purpose until then (quiet hours)."""
    failing_since: Mapped[datetime | None]
    """Time of the first failure since the last success or retry by hand."""
    done_at: Mapped[datetime | None]
    error: Mapped[str | None]


DUE: tuple[WakeUp, ...] = (
    DueColumn(Outbox.due_at, Outbox.state == OutboxState.PENDING, by_company=True),
)


async def lock_attempt(session: AsyncSession, outbox_id: UUID, *, attempt: int) -> Outbox | None:
    """Lock the row for the work of this attempt; return None when a later attempt began or the job has ended."""
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
    """Mark the job done, in the transaction of its effect."""
    row.state, row.done_at, row.error, row.failing_since = OutboxState.DONE, at, None, None


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """Why an attempt failed at `at`, and when the next one starts; no further attempt without `again_at`."""

    error: str
    at: datetime
    again_at: datetime | None


async def fail(
    session: AsyncSession, outbox_id: UUID, *, attempt: int, failure: AttemptFailure
) -> None:
    """Record why an attempt failed.

    The next attempt starts after those of the earlier failing rows of the lane, so that the order is kept when their
    common cause (such as a mail server) recovers.
    """
    state = OutboxState.DEAD if failure.again_at is None else OutboxState.PENDING
    earlier = aliased(Outbox)
    behind = (
        select(func.max(earlier.due_at) + timedelta(seconds=1))
        .where(
            earlier.lane == Outbox.lane,
            earlier.state == OutboxState.PENDING,
            earlier.fact_id < Outbox.fact_id,
            earlier.failing_since.is_not(None),
        )
        .correlate(Outbox)
        .scalar_subquery()
    )
    due_at = Outbox.due_at if failure.again_at is None else func.greatest(failure.again_at, behind)
    await session.execute(
        update(Outbox)
        .where(
            Outbox.id == outbox_id,
            Outbox.state == OutboxState.PENDING,
            Outbox.attempts == attempt,
        )
        .values(
            state=state,
            error=failure.error,
            due_at=due_at,
            failing_since=func.coalesce(Outbox.failing_since, failure.at),
        )
        .execution_options(synchronize_session=False)
    )


async def reschedule(
    session: AsyncSession, outbox_id: UUID, *, attempt: int, until: datetime, lets_pass: bool
) -> None:
    """Postpone the row to `until` without counting the attempt; with `lets_pass`, later rows of the lane may go first.

    A row that does not let others pass blocks its lane for `HOLD` at most, like one that fails.
    """
    wait: dict[str, Any] = {"not_before": until}
    if not lets_pass:
        wait = {"failing_since": func.coalesce(Outbox.failing_since, func.now())}
    await session.execute(
        update(Outbox)
        .where(
            Outbox.id == outbox_id,
            Outbox.state == OutboxState.PENDING,
            Outbox.attempts == attempt,
        )
        .values(attempts=Outbox.attempts - 1, due_at=until, **wait)
        .execution_options(synchronize_session=False)
    )


async def release(session: AsyncSession, outbox_ids: Collection[UUID], *, at: datetime) -> None:
    """Make unattempted rows due immediately, because handing them to the queue failed."""
    await session.execute(
        update(Outbox)
        .where(Outbox.id.in_(outbox_ids), Outbox.state == OutboxState.PENDING, Outbox.attempts == 0)
        .values(due_at=at)
        .execution_options(synchronize_session=False)
    )


async def expedite(session: AsyncSession, *conditions: ColumnElement[bool], at: datetime) -> None:
    """Make postponed rows due at `at`; an attempt that is under way can no longer postpone them.

    The attempt's number is used up: a job that read its wait before this transaction would write it back afterwards.
    """
    await session.execute(
        update(Outbox)
        .where(Outbox.state == OutboxState.PENDING, *conditions)
        .values(attempts=Outbox.attempts + 1, due_at=at, not_before=None)
        .execution_options(synchronize_session=False)
    )


async def retry(
    session: AsyncSession, *conditions: ColumnElement[bool], at: datetime
) -> list[tuple[UUID, int, str]]:
    """Make dead and waiting jobs due now, with their attempts counted from zero; return row, fact and job of each.

    The caller passes the scope as conditions. The last error is kept until an attempt succeeds.
    """
    rows = await session.execute(
        update(Outbox)
        .where(Outbox.state != OutboxState.DONE, *conditions)
        .values(
            state=OutboxState.PENDING,
            attempts=0,
            due_at=at,
            not_before=None,
            failing_since=None,
        )
        .returning(Outbox.id, Outbox.fact_id, Outbox.job)
        .execution_options(synchronize_session=False)
    )
    return [(row_id, fact_id, job) for row_id, fact_id, job in rows]
