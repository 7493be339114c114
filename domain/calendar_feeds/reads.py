"""Write the shifts of a guard or of a site as an iCalendar file (RFC 5545), with times in UTC."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Site, Tenant, User
from domain.calendar_feeds.model import CalendarFeed
from domain.posts.model import Post
from domain.shifts.model import Shift, ShiftState

BEHIND, AHEAD = timedelta(days=35), timedelta(days=190)
MOST_SHIFTS = 5_000
_STATUS = {
    ShiftState.PUBLISHED: "TENTATIVE",
    ShiftState.CANCELLED: "CANCELLED",
}


@dataclass(frozen=True, slots=True)
class ShiftCalendar:
    """A calendar as it is handed out; the tag is the same as long as nothing changes."""

    content: bytes
    tag: str


async def calendar_of(
    session: AsyncSession, feed_id: UUID, *, at: datetime
) -> ShiftCalendar | None:
    """Return the calendar of a link; None for one that does not exist, was revoked, or belongs to somebody who left."""
    feed = await session.get(CalendarFeed, feed_id)
    if feed is None or feed.revoked_at is not None:
        return None
    title = await _title(session, feed)
    if title is None:
        return None
    query = (
        select(Shift, Post.name, Site)
        .join(Post, Post.id == Shift.post_id)
        .join(Site, Site.id == Shift.site_id)
        .where(
            Shift.tenant_id == feed.tenant_id,
            Shift.published_at.is_not(None),
            Shift.until_at > at - BEHIND,
            Shift.from_at < at + AHEAD,
            Shift.user_id == feed.user_id
            if feed.site_id is None
            else Shift.site_id == feed.site_id,
        )
        .order_by(Shift.from_at, Shift.id)
        .limit(MOST_SHIFTS)
    )
    rows = await session.execute(query)
    content = _write(title, [tuple(row) for row in rows], for_site=feed.site_id is not None)
    return ShiftCalendar(content, hashlib.sha256(content).hexdigest()[:32])


async def _title(session: AsyncSession, feed: CalendarFeed) -> str | None:
    """Return the name of the calendar; None for a guard who left."""
    company = (await session.get_one(Tenant, feed.tenant_id)).name
    if feed.site_id is not None:
        return f"{(await session.get_one(Site, feed.site_id)).name} – {company}"
    user = None if feed.user_id is None else await session.get(User, feed.user_id)
    return None if user is None or user.disabled_at is not None else f"Shifts – {company}"


def _write(title: str, rows: list[tuple[Shift, str, Site]] | list[Any], *, for_site: bool) -> bytes:
    from icalendar import Calendar  # 60 ms to import, and only calendars need it

    calendar = Calendar()
    calendar.add("prodid", "-//Waarborg//Shifts//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for shift, post, site in rows:
        calendar.add_component(_event(shift, post, site, for_site=for_site))
    content: bytes = calendar.to_ical()
    return content


def _event(shift: Shift, post: str, site: Site, *, for_site: bool) -> Any:
    from icalendar import Event

    event = Event()
    event.add("uid", f"shift-{shift.id}@waarborg")
    event.add("sequence", shift.version)
    event.add("dtstamp", _changed_at(shift).astimezone(UTC))
    event.add("dtstart", shift.from_at.astimezone(UTC))
    event.add("dtend", shift.until_at.astimezone(UTC))
    who = "open" if shift.number is None else f"guard {shift.number}"
    event.add("summary", f"{post}: {who}" if for_site else f"{post}, {site.name}")
    place = [site.name, site.street, f"{site.postcode or ''} {site.city or ''}".strip()]
    event.add("location", ", ".join(each for each in place if each))
    if site.lat is not None and site.lon is not None:
        event.add("geo", (site.lat, site.lon))
    event.add("status", _STATUS.get(shift.state, "CONFIRMED"))
    return event


def _changed_at(shift: Shift) -> datetime:
    times = (shift.published_at, shift.confirmed_at, shift.started_at, shift.ended_at)
    return max(each for each in (*times, shift.cancelled_at) if each is not None)
