"""Rules of renewals: which step of the timeline is due, and when to look next. Pure functions."""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

DAYS = (180, 90, 60, 30)
"""Days before the last day for notice on which a renewal is prepared, discussed and decided."""


class RenewalStep(NamedTuple):
    """The step of a timeline that is due now, None for none, and when the next one is."""

    days_left: int | None
    next_at: datetime


def step_at(at: datetime, notice_by: date, *, raised: int | None, zone: str) -> RenewalStep:
    """Return the most urgent step that is due and was not raised; those before it are skipped.

    A step is due from the beginning of its day in `zone`; after the last one, the end of the last day for notice is.
    """
    open_ones = [days for days in DAYS if raised is None or days < raised]
    due = [days for days in open_ones if begin_of(notice_by - timedelta(days=days), zone) <= at]
    later = [days for days in open_ones if days not in due]
    next_on = notice_by + timedelta(days=1) if not later else notice_by - timedelta(days=later[0])
    return RenewalStep(min(due, default=None), begin_of(next_on, zone))


def begin_of(day: date, zone: str) -> datetime:
    """Return the beginning of a day in a time zone."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def prolonged(fixed_until: date, months: int) -> date:
    """Return the last day after a renewal of so many months: the end of a month stays the end of a month."""
    return fixed_until + timedelta(days=1) + relativedelta(months=months) - timedelta(days=1)
