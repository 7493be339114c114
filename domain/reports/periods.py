"""Due times of reports: local times across clock changes, and the period of a report."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LEAD = timedelta(minutes=15)
"""How long before its due time a report is made, because it must be delivered by then."""


class Cadence(StrEnum):
    """Interval at which a report is made: daily or weekly."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Period:
    """The local days [first_on, last_on] that a report is about, and when it is due."""

    cadence: Cadence
    first_on: date
    from_at: datetime
    until_at: datetime
    due_at: datetime

    @property
    def last_on(self) -> date:
        """The last local day it is about."""
        return self.first_on + timedelta(days=days_of(self.cadence) - 1)

    @property
    def made_at(self) -> datetime:
        """The time whose state it reports."""
        return max(self.until_at, self.due_at - LEAD)


def days_of(cadence: Cadence) -> int:
    """Return how many local days a report is about."""
    return 7 if cadence is Cadence.WEEKLY else 1


def instant_of(day: date, at: time, zone: str) -> datetime:
    """Convert a local time to UTC: the first one when the clock shows it twice, the next existing one when never."""
    local = datetime.combine(day, at.replace(tzinfo=None), tzinfo=ZoneInfo(zone))
    while not _exists(local):
        local = (local + MINUTE).replace(fold=0, second=0, microsecond=0)
    return local.astimezone(UTC)


def _exists(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) == local.replace(tzinfo=None)


def period_from(
    cadence: Cadence, first_on: date, *, zone: str, at: time, weekday: int = 0
) -> Period:
    """Return the period that begins on a local day (Monday for weeks), due on `weekday` (Monday 0) if weekly."""
    after = first_on + timedelta(days=days_of(cadence))
    due_on = after + timedelta(days=weekday) if cadence is Cadence.WEEKLY else after
    return Period(
        cadence,
        first_on,
        instant_of(first_on, time(), zone),
        instant_of(after, time(), zone),
        instant_of(due_on, at, zone),
    )


def first_day_at(cadence: Cadence, at: datetime, zone: str) -> date:
    """Return the first local day of the period that contains a time."""
    today = at.astimezone(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday()) if cadence is Cadence.WEEKLY else today


def following(cadence: Cadence, first_on: date) -> date:
    """Return the first day of the period after."""
    return first_on + timedelta(days=days_of(cadence))
