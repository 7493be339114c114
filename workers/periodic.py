"""Periodic work: the only loop, and the rule that an item that fails is deferred alone and the others go on."""

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
    """What periodic work has to work with."""

    make: Sessions
    settings: Settings


Step = Callable[[WorkContext, int], Awaitable[int]]
"""Does at most so much of what is due, and returns how much that was."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that is looked for again and again."""

    name: str
    """What the log calls this part of a worker."""
    every_s: float
    step: Step
    batch: int = 1
    """Found at most in one step; after a full one the next step follows at once."""
    isolated: bool = False
    """Whether it has a thread, a loop and connections of its own, because its time counts."""
    warm: Callable[[], object] | None = None
    """What is loaded before the first step."""


async def repeat(job: Periodic, work: WorkContext) -> None:
    """Run the step until it finds less than a batch, then sleep; until cancelled. Any number of workers may."""
    if job.warm is not None:
        await asyncio.to_thread(job.warm)
    while True:
        if await job.step(work, job.batch) < job.batch:
            await asyncio.sleep(job.every_s)


@dataclass(frozen=True, slots=True)
class Postponement:
    """How an item that fails is put off, where its own row says when it is due; `first` is the first pause."""

    first: timedelta
    move: Callable[[AsyncSession, datetime], Awaitable[None]]
    at: datetime | None = None  # from when it is counted; from now on, unless given


async def attempt(
    make: Sessions,
    part: str,
    subject: Subject,
    work: Work,
    *,
    postponement: Postponement | None = None,
) -> bool:
    """Work on one item in a transaction; when that fails, defer the item. Returns whether it succeeded.

    An item that other work holds a lock on is tried again soon; that is no failure of the item.
    Raises only when the database cannot be reached, which is no item's fault.
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
    """Work on at most `limit` items in one transaction; None when that fails, and each is to be attempted alone.

    What was put off until now is settled with a batch that was not full: nothing that is due is left.
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
    """Work on each item in a transaction of its own, deferring those that fail; returns how many succeeded."""
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
        except DBAPIError as error:  # the row that says when it is due may be the locked one
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
    """Whether the database cannot be reached."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, InterfaceError)
    return isinstance(error, (ConnectionError, TimeoutError))
