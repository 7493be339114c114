"""Expand a pattern into shifts: the days by RFC 5545, the instants by the wall clock of a time zone."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from domain.core.errors import Code, Refused

LONGEST_RULE = 200
MOST_DAYS = 400
"""Days that one call may plan."""
_FREQUENCY = re.compile(r"(^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;|$)")
_PARTS = frozenset(
    {
        *("FREQ", "INTERVAL", "COUNT", "WKST", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"),
        *("BYMONTH", "BYSETPOS"),
    }
)
_DAY = timedelta(days=1)


class Occurrence(NamedTuple):
    """One shift of a pattern: its local day, and its instants in UTC."""

    on_day: date
    from_at: datetime
    until_at: datetime


class LocalHours(NamedTuple):
    """Local times of a shift; it ends on the next day unless the end is after the start."""

    start: time
    end: time

    def on(self, day: date, zone: str) -> Occurrence:
        """Return the shift that begins on a day.

        The wall clock counts: a night of the change to summer time is an hour shorter, the other one an hour longer. A
        time that the clock skips is as much later as it skips; of a time that occurs twice the first one counts. Hours
        that the clock skips as a whole begin after it, and are as long as on other days.
        """
        last = day if self.end > self.start else day + _DAY
        from_at, until_at = _instant(day, self.start, zone), _instant(last, self.end, zone)
        if until_at <= from_at:
            until_at = from_at + self.length
        return Occurrence(day, from_at, until_at)

    @property
    def length(self) -> timedelta:
        """The hours of a day without a change of clocks."""
        start, end = (datetime.combine(date.min, each) for each in self)
        return end - start if end > start else end - start + _DAY


def must_be_rule(rule: str, argument: str) -> None:
    """Refuse a rule that is not one RFC 5545 recurrence of days; the period is given by dates, not by UNTIL."""
    if len(rule) > LONGEST_RULE:
        raise _invalid(f"has more than {LONGEST_RULE} characters", argument)
    parts = [part.partition("=")[0] for part in rule.split(";")]
    unknown = sorted(set(parts) - _PARTS)
    if unknown or len(set(parts)) != len(parts):
        raise _invalid(f"contains {unknown[0]!r}" if unknown else "contains a part twice", argument)
    if not _FREQUENCY.search(rule) or re.search(r"INTERVAL=0*(;|$)", rule):
        raise _invalid(
            "needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, and an INTERVAL of 1 or more", argument
        )
    try:
        next(days_of(rule, date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)), None)
    except ValueError as error:
        raise _invalid(f"cannot be read: {error}", argument) from error


def days_of(rule: str, starts_on: date, first: date, last: date) -> Iterator[date]:
    """Yield the days of a rule that counts from `starts_on`, from `first` to `last`."""
    bounded = f"{rule};UNTIL={last:%Y%m%d}T235959"  # a rule without days would be searched to the year 9999
    found = rrulestr(bounded, dtstart=datetime.combine(starts_on, time()))
    return (day.date() for day in found if first <= day.date() <= last)


def expand(
    rule: str, hours: LocalHours, zone: str, *, starts_on: date, first: date, last: date
) -> list[Occurrence]:
    """Return the shifts of a pattern that begin from `first` to `last`, both included."""
    return [hours.on(day, zone) for day in days_of(rule, starts_on, first, last)]


def _instant(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def _invalid(problem: str, argument: str) -> Refused:
    words = f"The rule {problem}. An example of a rule is FREQ=WEEKLY;BYDAY=MO,TU."
    return Refused(Code.INVALID, words, argument=argument)
