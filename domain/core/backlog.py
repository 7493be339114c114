"""The backlog: how many consequences are not done, and how late they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.outbox import Outbox, OutboxState

LATE = timedelta(minutes=1)
"""Work that waits for longer counts as a backlog to warn of."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Consequences that are not done.

    `oldest_at` is the instant at which the fact of the oldest pending row was recorded; `waiting_since` the same of
    the oldest row that was neither postponed on purpose nor tried and failed.
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
        """The age of the oldest fact of which a consequence is pending, in seconds."""
        return _seconds(self.oldest_at, self.measured_at)

    @property
    def lag_s(self) -> float:
        """How long the oldest consequence waits for a worker since its fact was recorded, in seconds."""
        return _seconds(self.waiting_since, self.measured_at)

    @property
    def is_late(self) -> bool:
        """Whether workers are behind."""
        return self.lag_s > LATE.total_seconds()


def _seconds(since: datetime | None, until: datetime) -> float:
    return 0.0 if since is None else max(0.0, (until - since).total_seconds())


async def backlog(session: AsyncSession, *conditions: ColumnElement[bool], at: datetime) -> Backlog:
    """What is left to do, over all tenants unless there are conditions."""
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
