"""The state of a promise at the current time: the stored row, advanced to now."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.calendars import CalendarSpec, worked_us
from domain.evaluator.kernels.codes import PromiseClass
from domain.evaluator.version import EVALUATOR
from domain.promises.announced_due import announced_due
from domain.promises.model import Promise, State
from domain.promises.registry import rule_of
from domain.promises.translation import to_us

_OPEN = frozenset({State.RUNNING, State.AT_RISK, State.LATE})


class RunningClock(NamedTuple):
    """Microseconds on the promise's calendar; `remaining_us` is negative once overrun."""

    elapsed_us: int
    remaining_us: int


def live(promise: Promise, spec: CalendarSpec, *, now: datetime) -> RunningClock:
    """Return elapsed and remaining time at `now`; they are constant for a decided and stopped, or a paused, promise.

    Of a promise of coverage: the staffed time of the plan, and how much more is needed. A measured value takes no time.
    """
    if rule_of(promise.kind).cls is PromiseClass.POINT:
        return RunningClock(0, 0)
    moving = promise.stopped_at is None and not promise.held and promise.state in _OPEN
    elapsed = promise.elapsed_us
    is_cover = rule_of(promise.kind).cls is PromiseClass.COVER
    if moving and now > promise.evaluated_at:
        if is_cover:
            until = now if promise.due_at is None else min(now, promise.due_at)
            elapsed += max(0, to_us(until) - to_us(promise.evaluated_at))
        else:
            elapsed += worked_us(spec, to_us(promise.evaluated_at), to_us(now))
    remaining = promise.target_us - elapsed
    return RunningClock(elapsed, max(0, remaining) if is_cover else remaining)


async def announced_due_of(session: AsyncSession, promise: Promise) -> datetime | None:
    """Return the due time of a promise row as people see it."""
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
    """Return whether a verdict of an older evaluator is stored, for any company that the session sees."""
    older = exists().where(Promise.evaluator < EVALUATOR)
    return bool(await session.scalar(select(older)))
