"""Calendar feeds: signed links to the shifts of a guard or a site, as calendar programs read them."""

from domain.calendar_feeds.actions import add_feed, revoke_feed
from domain.calendar_feeds.links import CalendarLinks
from domain.calendar_feeds.model import CalendarFeed
from domain.calendar_feeds.reads import ShiftCalendar, calendar_of

__all__ = [
    "CalendarFeed",
    "CalendarLinks",
    "ShiftCalendar",
    "add_feed",
    "calendar_of",
    "revoke_feed",
]
