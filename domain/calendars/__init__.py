"""Working calendars: the hours in which a promise's clock runs, versioned."""

from domain.calendars.actions import close_on, define
from domain.calendars.closures import Closures, closures_of
from domain.calendars.model import Calendar, CalendarVersion
from domain.calendars.reads import specs
from domain.calendars.rules import CalendarSpec

__all__ = [
    "Calendar",
    "CalendarSpec",
    "CalendarVersion",
    "Closures",
    "close_on",
    "closures_of",
    "define",
    "specs",
]
