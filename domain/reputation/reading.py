"""When sources of reviews are read: claim those that are due, how far back to read, and what a read came to."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.core.deferral import Subject, in_turn
from domain.core.wakeups import DueColumn, WakeUp
from domain.reputation.intake import end_full_read
from domain.reputation.model import Review, ReviewSource
from domain.reputation.rules import ReviewState

FULL_EVERY = timedelta(days=1)
"""Longest time from one full read to the next."""
LONGEST = timedelta(hours=6)
"""Longest pause after failures, unless the source asks for a longer one."""
SOON = timedelta(seconds=5)
"""Time from a notification to the read that it asks for."""
OVERLAP = 2
"""Number of intervals that a read goes back before the last one."""


DUE: tuple[WakeUp, ...] = (
    DueColumn(ReviewSource.next_read_at, ReviewSource.is_active.is_(True), by_company=True),
)


async def claim_due(
    session: AsyncSession, *, at: datetime, lease: timedelta, limit: int
) -> list[Subject]:
    """Claim sources that are due, the companies in turn; no other worker reads them before the lease ends."""
    due = in_turn(
        ReviewSource.tenant_id,
        ReviewSource.next_read_at,
        ReviewSource.id,
        ReviewSource.is_active.is_(True),
        at=at,
        limit=limit,
    )
    rows = await session.scalars(
        select(ReviewSource)
        .join(due, due.c.id == ReviewSource.id)
        .where(ReviewSource.next_read_at <= at)
        .order_by(due.c.turn, due.c.lot)
        .with_for_update(skip_locked=True, of=ReviewSource)
    )
    claimed = [Subject(row.tenant_id, row.id) for row in rows]
    await session.execute(
        update(ReviewSource)
        .where(ReviewSource.id.in_([each.id for each in claimed]))
        .values(next_read_at=at + lease)
        .execution_options(synchronize_session=False)
    )
    return claimed


async def read_since(
    session: AsyncSession, source: ReviewSource, *, at: datetime
) -> datetime | None:
    """Return the time from which changes are read; None for everything.

    Everything is read once a day, and until it is clear whether a review that was missed is gone.
    """
    if source.full_read_at is None or source.read_at is None:
        return None
    if at - source.full_read_at >= FULL_EVERY:
        return None
    missed = exists().where(
        Review.source_id == source.id, Review.misses > 0, Review.state != ReviewState.GONE
    )
    if await session.scalar(select(missed)):
        return None
    earliest = min(source.read_at, source.changed_until or source.read_at)
    return earliest - OVERLAP * timedelta(seconds=source.interval_s)


async def end_read(
    tx: Tx, source_id: UUID, *, read_at: datetime, is_full: bool, unreadable: int
) -> int:
    """End a read that came to its last page; return how many reviews are gone since."""
    source = await tx.get(
        ReviewSource, source_id, "source of reviews", argument="sourceId", lock=True
    )
    source.unreadable = unreadable
    if is_full:
        return await end_full_read(tx, source_id, read_at=read_at)
    source.read_at = max(read_at, source.read_at or read_at)
    if source.full_read_at is None:
        source.full_read_at = read_at  # a feed without an end: what it lacks says nothing
    await tx.session.flush()
    return 0


async def note_read(tx: Tx, source_id: UUID, *, error: str | None, wait_s: float | None) -> None:
    """Note how a read ended: the next one follows after the interval, later after failures or as the source asks."""
    source = await tx.get(
        ReviewSource, source_id, "source of reviews", argument="sourceId", lock=True
    )
    interval = timedelta(seconds=source.interval_s)
    if error is None:
        source.failures, source.error, pause = 0, None, interval
    else:
        source.failures += 1
        source.error = error[:500]
        pause = min(LONGEST, max(interval, timedelta(minutes=1)) * 2 ** min(source.failures - 1, 8))
        pause = max(pause, timedelta(seconds=wait_s)) if wait_s is not None else pause
    source.next_read_at = tx.at + pause if source.is_active else None
    await tx.session.flush()


async def note_figures(tx: Tx, source_id: UUID, rating: float | None, count: int | None) -> None:
    """Note the figures that a platform shows itself."""
    await tx.session.execute(
        update(ReviewSource)
        .where(ReviewSource.id == source_id)
        .values(shown_rating=rating, shown_count=count)
    )


async def hasten(session: AsyncSession, source_id: UUID, *, at: datetime) -> None:
    """Have a source read within seconds, because it said that something changed; many such words bring one read.

    A source that failed and waits is left waiting, as it asked.
    """
    soon = at + SOON
    await session.execute(
        update(ReviewSource)
        .where(
            ReviewSource.id == source_id,
            ReviewSource.is_active,
            ReviewSource.failures == 0,
            ReviewSource.next_read_at > soon,
        )
        .values(next_read_at=soon)
    )
