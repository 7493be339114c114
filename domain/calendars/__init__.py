"""Working calendars: the hours in which a promise's clock runs, versioned."""

from domain.calendars.actions import close_on, define
from domain.calendars.closures import Closures, closures_of
from domain.calendars.model import Calendar, CalendarVersion
from domain.calendars.reads import specs
from domain.calendars.rules import (
    calendars_for,
    capacity,
    closing_before,
    hours_overlap,
    is_open,
    worked_us,
)
from domain.calendars.spec import CalendarSpec

__all__ = [
    "Calendar",
    "CalendarSpec",
    "CalendarVersion",
    "Closures",
    "calendars_for",
    "capacity",
    "close_on",
    "closing_before",
    "closures_of",
    "define",
    "hours_overlap",
    "is_open",
    "specs",
    "worked_us",
]
