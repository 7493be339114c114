"""Periodic work: the loop that runs it, and the rule that a failing item is deferred alone.

A part looks when PostgreSQL announces a change that concerns it, when the next row that it knows of falls due, and at
the latest after its backstop. While no announcement arrives (the connection is lost, or nothing listens) it polls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.db import Sessions, is_busy, reason, transaction
from domain.core.deferral import FIRST, Subject, clear, clear_past_due, defer, wait_for_lock
from domain.core.settings import Settings
from domain.core.wakeups import WakeUp, next_due
from realtime.changes import Changes, ChangeWaiter

log = structlog.get_logger()

BACKSTOP_S = 30.0
NOT_EARLY_S = 0.002  # a timer may end a moment early, and that look would find nothing

Work = Callable[[AsyncSession], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What periodic work receives."""

    make: Sessions
    settings: Settings
    changes: Changes = field(default_factory=Changes)


Step = Callable[[WorkContext, int], Awaitable[int]]
"""Processes at most `limit` due items and returns how many it processed."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A piece of work that is repeated: when something wakes it, or at an interval."""

    name: str
    """Name of this part of the worker in the log."""
    every_s: float
    """Shortest pause between two looks, and the interval while no change is announced."""
    step: Step
    batch: int = 1
    """Largest number of items in one step; after a full batch the next step follows at once."""
    wakes: tuple[WakeUp, ...] = ()
    """What wakes it; without any it looks at its interval."""
    polls: str = ""
    """Why it looks at its interval, when nothing wakes it."""
    backstop_s: float = BACKSTOP_S
    """Longest pause between two looks of a part that is woken: a row can fall due by a change that no trigger sees."""
    isolated: bool = False
    """Whether it runs in its own thread and event loop with its own connections, because it is latency-critical."""
    half_time: bool = False
    """Whether it rests as long as it worked after a full batch, so that a backlog takes half of a core at most."""
    warm: Callable[[], object] | None = None
    """Called once before the first step, to load what the step needs."""


async def repeat(job: Periodic, work: WorkContext) -> None:
    """Run the step until it finds less than a batch, then wait; until cancelled. Several workers may do so at once."""
    if job.warm is not None:
        await asyncio.to_thread(job.warm)
    with work.changes.waiting_for(job.wakes) as waiter:
        alarm = WakeAlarm(work.make, work.changes, waiter, job.wakes)
        while True:
            waiter.begin()
            began = asyncio.get_running_loop().time()
            if await job.step(work, job.batch) < job.batch:
                await alarm.wait(job.every_s, job.backstop_s if job.wakes else job.every_s)
            elif job.half_time:
                await asyncio.sleep(asyncio.get_running_loop().time() - began)


class WakeAlarm:
    """Waits for the next look of one part of a worker."""

    def __init__(
        self, make: Sessions, changes: Changes, waiter: ChangeWaiter, wakes: Sequence[WakeUp]
    ) -> None:
        self._make = make
        self._changes = changes
        self._waiter = waiter
        self._next_due = next_due(wakes)

    async def wait(self, soonest_s: float, latest_s: float) -> None:
        """Wait until something falls due, a change is announced, or `latest_s` are over; at least `soonest_s`.

        What is due and cannot be processed (another worker has it, or it waits for something else) is looked at after
        `soonest_s` again.
        """
        began = asyncio.get_running_loop().time()
        if self._changes.is_heard and latest_s > soonest_s:
            async with self._make() as session:
                due_at = await session.scalar(self._next_due)
            left_s = latest_s
            if due_at is not None:
                left_s = (due_at - datetime.now(UTC)).total_seconds() + NOT_EARLY_S
            await self._waiter.wait(min(max(left_s, soonest_s), latest_s))
        rest_s = began + soonest_s - asyncio.get_running_loop().time()
        if rest_s > 0:
            await asyncio.sleep(rest_s)


@dataclass(frozen=True, slots=True)
class Postponement:
    """How a failing item is postponed, for items whose own row holds the due time; `first` is the first pause."""

    first: timedelta
    move: Callable[[AsyncSession, datetime], Awaitable[None]]
    at: datetime | None = None  # start of the pause; None means now


async def attempt(
    make: Sessions,
    part: str,
    subject: Subject,
    work: Work,
    *,
    postponement: Postponement | None = None,
) -> bool:
    """Process one item in a transaction and defer the item when that fails; return whether it succeeded.

    An item whose row is locked by other work is retried soon, and that does not count as a failure. Raises
    only when the database cannot be reached, because then no item is at fault.
    """
    try:
        async with transaction(make) as session:
            await work(session)
            await clear(session, part, subject.id)
    except Exception as error:
        if is_away(error):
            raise
        if is_busy(error):
            await _wait_for_lock(make, part, subject, postponement)
        else:
            await _defer(make, part, subject, error, postponement)
        return False
    return True


async def attempt_batch(
    make: Sessions,
    part: str,
    work: Callable[[AsyncSession], Awaitable[int]],
    *,
    at: datetime,
    limit: int,
) -> int | None:
    """Process at most `limit` items in one transaction; None when that fails and each has to be attempted alone.

    Items that were deferred until now are cleared after a batch that was not full, because then no due item
    is left.
    """
    try:
        async with transaction(make) as session:
            count = await work(session)
            if 0 < count < limit:
                await clear_past_due(session, part, at=at)
    except Exception as error:
        if is_away(error):
            raise
        log.warning("work.one_by_one", part=part, error=repr(error))
        return None
    return count


async def attempt_each(
    make: Sessions,
    part: str,
    subjects: Sequence[Subject],
    work: Callable[[AsyncSession, Subject], Awaitable[object]],
) -> int:
    """Process each item in its own transaction and defer those that fail; return how many succeeded."""
    succeeded = 0
    for subject in subjects:

        async def one(session: AsyncSession, subject: Subject = subject) -> None:
            await work(session, subject)

        succeeded += await attempt(make, part, subject, one)
    return succeeded


async def _wait_for_lock(
    make: Sessions, part: str, subject: Subject, postponement: Postponement | None
) -> None:
    at = (None if postponement is None else postponement.at) or datetime.now(UTC)
    async with transaction(make) as session:
        until = await wait_for_lock(session, part, subject, at=at)
    if postponement is not None:
        try:
            async with transaction(make) as session:
                await postponement.move(session, until)
        except DBAPIError as error:  # the locked row may be the one that holds the due time
            if not is_busy(error):
                raise
    log.info("work.busy", part=part, subject=str(subject.id), until=until.isoformat())


async def _defer(
    make: Sessions, part: str, subject: Subject, error: Exception, postponement: Postponement | None
) -> None:
    first = FIRST if postponement is None else postponement.first
    at = (None if postponement is None else postponement.at) or datetime.now(UTC)
    async with transaction(make) as session:
        until = await defer(session, part, subject, error=reason(error), at=at, first=first)
        if postponement is not None:
            await postponement.move(session, until)
    log.warning(
        "work.deferred",
        part=part,
        subject=str(subject.id),
        error=reason(error),
        until=until.isoformat(timespec="seconds"),
        exc_info=None if isinstance(error, DBAPIError) else error,
    )


def is_away(error: Exception) -> bool:
    """Return whether an error means that the database cannot be reached."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, InterfaceError)
    return isinstance(error, (ConnectionError, TimeoutError))
