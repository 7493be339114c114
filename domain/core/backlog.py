"""Size and age of the job backlog: how many outbox rows are pending, and how late they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.outbox import Outbox, OutboxState

LATE = timedelta(minutes=1)
"""Jobs that wait for longer than this count as a backlog to warn about."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Outbox rows that are not done.

    `oldest_at` is the time at which the fact of the oldest pending row was recorded. `waiting_since` is the same for
    the oldest row that was neither postponed on purpose nor has failed.
    """

    pending: int
    failed: int
    oldest_due_at: datetime | None
    dead: int
    oldest_at: datetime | None
    waiting_since: datetime | None
    measured_at: datetime

    @property
    def oldest_s(self) -> float:
        """Return the age in seconds of the oldest fact with a pending job."""
        return _seconds(self.oldest_at, self.measured_at)

    @property
    def lag_s(self) -> float:
        """Return how long the oldest job has waited for a worker since its fact was recorded, in seconds."""
        return _seconds(self.waiting_since, self.measured_at)

    @property
    def is_late(self) -> bool:
        """Return whether the workers have fallen behind."""
        return self.lag_s > LATE.total_seconds()


def _seconds(since: datetime | None, until: datetime) -> float:
    return 0.0 if since is None else max(0.0, (until - since).total_seconds())


async def backlog(session: AsyncSession, *conditions: ColumnElement[bool], at: datetime) -> Backlog:
    """Count the pending and failed jobs, over all tenants unless conditions are given."""
    pending = Outbox.state == OutboxState.PENDING
    since = func.greatest(Outbox.recorded_at, Outbox.not_before)
    is_due = or_(Outbox.not_before.is_(None), Outbox.not_before <= at)
    waits = pending & is_due & Outbox.error.is_(None)
    counted = (
        await session.execute(
            select(
                func.count().filter(pending),
                func.count().filter(pending, Outbox.error.is_not(None)),
                func.min(Outbox.due_at).filter(pending),
                func.count().filter(Outbox.state == OutboxState.DEAD),
                func.min(Outbox.recorded_at).filter(pending),
                func.min(since).filter(waits),
            ).where(Outbox.state != OutboxState.DONE, *conditions)
        )
    ).one()
    count, failed, oldest_due_at, dead, oldest_at, waiting_since = counted
    return Backlog(count, failed, oldest_due_at, dead, oldest_at, waiting_since, at)
