"""The due time that people see: closing time, where the deadline is exceeded at the next opening."""

from datetime import UTC, datetime, timedelta

from domain.agreements import Term
from domain.agreements.model import Priority, PromiseKind
from domain.calendars import CalendarSpec, closing_before

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def announced_due(
    term: Term,
    spec: CalendarSpec,
    priority: Priority,
    *,
    started_at: datetime | None,
    due_at: datetime | None,
) -> datetime | None:
    """Return the due time of a promise as people see it.

    A deadline at closing time is exceeded from the next opening on, which is what `due_at` holds; people see the
    closing time. An agreed date is shown as it was agreed, and business days by their own wall clock.
    """
    if due_at is None:
        return None
    if term.kind is PromiseKind.AGREED_DATE:
        return started_at or due_at
    target = term.targets.get(priority)
    if target is not None and not target.elapsed_s:
        return due_at
    told_us = closing_before(spec, (due_at - _EPOCH) // _MICROSECOND)
    return _EPOCH + told_us * _MICROSECOND
