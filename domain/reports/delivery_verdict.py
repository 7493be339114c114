"""Evaluate the punctuality of a report with the kernel that evaluates every promise."""

from datetime import datetime
from typing import NamedTuple

from domain.calendars import CalendarSpec, calendars_for
from domain.evaluator.kernels.batch import verdicts
from domain.evaluator.kernels.codes import ClockState, EventKind, PromiseClass
from domain.evaluator.kernels.columns import Event, PromiseInput, event_columns, promise_columns
from domain.promises import from_us, to_us
from domain.reports.model import ReportVerdict

_ALWAYS = CalendarSpec(zone="UTC", always_open=True)
_PROMISES = promise_columns([PromiseInput(PromiseClass.DUE, [0, 0, 0, 0])])


class DeliveryVerdict(NamedTuple):
    """A verdict and its time; None while undecided."""

    verdict: ReportVerdict | None
    at: datetime | None


def judge(due_at: datetime, delivered_at: datetime | None, *, at: datetime) -> DeliveryVerdict:
    """Return kept when delivered by `due_at`, that time included; late from the first moment after it."""
    events = [Event(to_us(due_at), 0, 0, EventKind.START)]
    if delivered_at is not None:
        events.append(Event(to_us(delivered_at), 0, 0, EventKind.STOP))
    # The kernel ignores future events: an early delivery is evaluated once the due time has come.
    seen_at = max(at, due_at) if delivered_at is not None else at
    if seen_at < due_at:
        return DeliveryVerdict(None, None)
    calendars = calendars_for(
        [_ALWAYS], _PROMISES, min(event.ts for event in events), to_us(seen_at)
    )
    rows = verdicts(event_columns(events), _PROMISES, calendars, to_us(seen_at))
    state, decided = ClockState(int(rows.state[0])), from_us(int(rows.decided_us[0]))
    if state is ClockState.KEPT:
        return DeliveryVerdict(ReportVerdict.KEPT, decided)
    if state in {ClockState.LATE_OPEN, ClockState.LATE_CLOSED}:
        return DeliveryVerdict(ReportVerdict.LATE, decided)
    return DeliveryVerdict(None, None)
