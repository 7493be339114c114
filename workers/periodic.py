"""Periodic work: an item that fails is deferred alone, with its error, and the others go on."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.db import Sessions, reason, transaction
from domain.deferral import FIRST, Subject, defer, settle

log = structlog.get_logger()

Work = Callable[[AsyncSession], Awaitable[object]]


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

    Raises only when the database cannot be reached, which is no item's fault.
    """
    try:
        async with transaction(make) as session:
            await work(session)
            await settle(session, part, subject.id)
    except Exception as error:
        if is_away(error):
            raise
        await _defer(make, part, subject, error, postponement)
        return False
    return True


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
