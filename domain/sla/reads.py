"""How a promise stands this very moment: what the row says, moved on to now."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, calendars
from domain.agreements import Priority, PromiseKind, Term
from domain.calendars.rules import CalendarSpec, closing_before, worked_us
from domain.sla.columns import from_us, to_us
from domain.sla.model import Promise, State

_OPEN = frozenset({State.RUNNING, State.AT_RISK, State.LATE})


class Live(NamedTuple):
    """Microseconds on the promise's calendar; `remaining_us` is negative once overrun."""

    elapsed_us: int
    remaining_us: int


def live(promise: Promise, spec: CalendarSpec, *, now: datetime) -> Live:
    """Elapsed and remaining time at `now`; a decided and stopped, or paused, promise stands still."""
    moving = promise.stopped_at is None and not promise.held and promise.state in _OPEN
    elapsed = promise.elapsed_us
    if moving and now > promise.evaluated_at:
        elapsed += worked_us(spec, to_us(promise.evaluated_at), to_us(now))
    return Live(elapsed, promise.target_us - elapsed)


def announced_due(
    term: Term,
    spec: CalendarSpec,
    priority: Priority,
    *,
    started_at: datetime | None,
    due_at: datetime | None,
) -> datetime | None:
    """Until when people are told that a promise is kept.

    A deadline that lands on closing time is exceeded from the next opening on, which is what `due_at` says; people are
    told the closing time. An agreed date is told as it was agreed, and business days by their own wall clock.
    """
    if due_at is None:
        return None
    if term.kind is PromiseKind.AGREED_DATE:
        return started_at or due_at
    target = term.targets.get(priority)
    if target is not None and not target.elapsed_s:
        return due_at
    return from_us(closing_before(spec, to_us(due_at)))


async def announced_due_of(session: AsyncSession, promise: Promise) -> datetime | None:
    """The same for a row."""
    term = (await agreements.terms_by_id(session, [promise.term_id]))[promise.term_id]
    specs = await calendars.specs(session, [term.calendar_version_id])
    return announced_due(
        term,
        specs[term.calendar_version_id],
        promise.priority,
        started_at=promise.started_at,
        due_at=promise.due_at,
    )
