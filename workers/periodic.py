"""Periodic work: the loop that runs it, and the rule that a failing item is deferred alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.db import Sessions, is_busy, reason, transaction
from domain.core.deferral import FIRST, Subject, clear, clear_past_due, defer, wait_for_lock
from domain.core.settings import Settings

log = structlog.get_logger()

Work = Callable[[AsyncSession], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What periodic work receives."""

    make: Sessions
    settings: Settings


Step = Callable[[WorkContext, int], Awaitable[int]]
"""Processes at most `limit` due items and returns how many it processed."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """A piece of work that is repeated at an interval."""

    name: str
    """Name of this part of the worker in the log."""
    every_s: float
    step: Step
    batch: int = 1
    """Largest number of items in one step; after a full batch the next step follows at once."""
    isolated: bool = False
    """Whether it runs in its own thread and event loop with its own connections, because it is latency-critical."""
    warm: Callable[[], object] | None = None
    """Called once before the first step, to load what the step needs."""


async def repeat(job: Periodic, work: WorkContext) -> None:
    """Run the step until it finds less than a batch, then sleep; until cancelled. Several workers may do so at once."""
    if job.warm is not None:
        await asyncio.to_thread(job.warm)
    while True:
        if await job.step(work, job.batch) < job.batch:
            await asyncio.sleep(job.every_s)


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
