"""Rules of playbooks: what a list of tasks may be, and when a task is due. Pure functions."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import msgspec

from domain.account_teams.model import TeamRole
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.playbooks.model import PlaybookTrigger

MOST_TASKS = 30
MOST_WORKING_DAYS = 250
END_OF_WORK = time(18)
END_OF_DAY = time(23, 59)


class TaskTemplate(msgspec.Struct, frozen=True):
    """A task of a playbook: what is to be done by whom, until when, after which others, and what it should bring."""

    key: str
    words: str
    owner_role: TeamRole
    working_days: int
    wanted: str
    depends_on: tuple[str, ...] = ()


def trigger_text(kind: PlaybookTrigger, value: str, days_before: int = 0) -> str:
    """Return a trigger as one text, which a company has once."""
    return f"{kind}:{value}:{days_before}" if kind is PlaybookTrigger.DATE else f"{kind}:{value}"


def check_tasks(tasks: Sequence[TaskTemplate]) -> None:
    """Refuse no task or too many, two of one key, and a task that depends on one that does not stand before it."""
    if not 1 <= len(tasks) <= MOST_TASKS:
        raise _no(f"A playbook has 1 to {MOST_TASKS} tasks.")
    known: set[str] = set()
    for task in tasks:
        for text in (task.key, task.words, task.wanted):
            must_be_line(text, "tasks")
        if task.key in known:
            raise _no(f"Two tasks have the key {task.key!r}.")
        if not 0 <= task.working_days <= MOST_WORKING_DAYS:
            raise _no(f"workingDays must be 0 to {MOST_WORKING_DAYS}.")
        unknown = sorted(set(task.depends_on) - known)
        if unknown:
            raise _no(f"Task {task.key!r} depends on {unknown[0]!r}, which must stand before it.")
        known.add(task.key)


def due_at(at: datetime, working_days: int, zone: ZoneInfo) -> datetime:
    """Return when a task is due: at the end of today, or at 18:00 of the working day so many days later.

    Working days are Monday to Friday without the public holidays of the Netherlands.
    """
    day = at.astimezone(zone).date()
    if working_days == 0:
        found = datetime.combine(day, END_OF_DAY, zone)
        return found if found > at else found + timedelta(hours=1)
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, END_OF_WORK, zone)


def is_working_day(day: date) -> bool:
    """Return whether a day is one from Monday to Friday that is no public holiday."""
    return day.weekday() < 5 and day not in _free_days(day.year)


@lru_cache(maxsize=32)
def _free_days(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("NL", years=year))


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="tasks")
