"""How a promise stands this very moment: what the row says, moved on to now."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.calendars.rules import CalendarSpec, worked_us
from domain.promises.announced_due import announced_due
from domain.promises.model import Promise, State
from domain.promises.translation import EVALUATOR, to_us

_OPEN = frozenset({State.RUNNING, State.AT_RISK, State.LATE})


class RunningClock(NamedTuple):
    """Microseconds on the promise's calendar; `remaining_us` is negative once overrun."""

    elapsed_us: int
    remaining_us: int


def live(promise: Promise, spec: CalendarSpec, *, now: datetime) -> RunningClock:
    """Elapsed and remaining time at `now`; a decided and stopped, or paused, promise stands still."""
    moving = promise.stopped_at is None and not promise.held and promise.state in _OPEN
    elapsed = promise.elapsed_us
    if moving and now > promise.evaluated_at:
        elapsed += worked_us(spec, to_us(promise.evaluated_at), to_us(now))
    return RunningClock(elapsed, promise.target_us - elapsed)


async def announced_due_of(session: AsyncSession, promise: Promise) -> datetime | None:
    """Until when people are told that the promise of a row is kept."""
    term = (await agreements.terms_by_id(session, [promise.term_id]))[promise.term_id]
    specs = await calendars.specs(session, [term.calendar_version_id])
    return announced_due(
        term,
        specs[term.calendar_version_id],
        promise.priority,
        started_at=promise.started_at,
        due_at=promise.due_at,
    )


async def has_older_verdicts(session: AsyncSession) -> bool:
    """Whether a verdict is stored that an older evaluator made; of every company that the session sees."""
    older = exists().where(Promise.evaluator < EVALUATOR)
    return bool(await session.scalar(select(older)))
