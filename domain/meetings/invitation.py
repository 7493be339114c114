"""Invitations to meetings as iCalendar (RFC 5545, RFC 5546): made when a meeting changes, addressed when a mail leaves.

Of the answers that calendars send, only the UID comes back for certain. So it is signed, like the ids of messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from domain.core.text_rules import cleaned
from domain.meetings.model import AttendeeResponse, Meeting
from domain.messages import MessageSigner

MEDIA_TYPE = "text/calendar; method="
_OPEN = "meeting.invalid"
"""Domain that stands for ours in a stored invitation: which address mails come from is known when one leaves."""


class CalendarMethod(StrEnum):
    """What a calendar should do with an invitation."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on an invitation."""

    name: str
    email: str
    response: AttendeeResponse


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """What a calendar answered: whose meeting, who, what, to which version, and when."""

    meeting_id: UUID
    email: str
    response: AttendeeResponse
    sequence: int
    stamped_at: datetime


def invitation_of(
    meeting: Meeting, guests: Sequence[Guest], *, organiser: str, stamped_at: datetime
) -> bytes:
    """Return the invitation to a meeting, or its cancellation, to be addressed by `addressed`."""
    is_off = meeting.cancelled_at is not None
    method = CalendarMethod.CANCEL if is_off else CalendarMethod.REQUEST
    calendar = Calendar()
    for name, value in (
        ("prodid", "-//Waarborg//Meetings//EN"),
        ("version", "2.0"),
        ("calscale", "GREGORIAN"),
        ("method", str(method)),
    ):
        calendar.add(name, value)
    event = Event()
    event.add("uid", f"{meeting.id}@{_OPEN}")
    event.add("dtstamp", stamped_at.astimezone(UTC))
    event.add("sequence", meeting.sequence)
    event.add("status", "CANCELLED" if is_off else "CONFIRMED")
    event.add("summary", meeting.title)
    _add_times(event, meeting)
    if meeting.place is not None:
        event.add("location", meeting.place)
    if meeting.agenda is not None:
        event.add("description", meeting.agenda)
    event.add("transp", "OPAQUE")
    event.add("organizer", _address(organiser, f"organiser@{_OPEN}"))
    for guest in guests:
        event.add("attendee", _attendee(guest))
    calendar.add_component(event)
    if not meeting.whole_day:
        # Outlook wants the rules of the zone with it; of these years only, because all of them are 4 kB.
        year = meeting.starts_at.year
        calendar.add_missing_timezones(date(year - 1, 1, 1), date(year + 2, 1, 1))
    found: bytes = calendar.to_ical()
    return found


def addressed(content: bytes, signer: MessageSigner, *, sent_from: str) -> bytes:
    """Return a stored invitation with a signed UID and the address to which calendars send their answers."""
    calendar = Calendar.from_ical(content)
    domain = sent_from.rpartition("@")[2]
    for event in calendar.walk("VEVENT"):
        meeting_id = UUID(str(event["UID"]).partition("@")[0])
        event["UID"] = f"{signer.signed(meeting_id)}@{domain}"
        organiser = event["ORGANIZER"]
        event["ORGANIZER"] = _address(str(organiser.params.get("CN", "")), sent_from)
    found: bytes = calendar.to_ical()
    return found


def answer_in(text: str, signer: MessageSigner) -> CalendarAnswer | None:
    """Read what a calendar answered to an invitation of ours; None for anything else. May raise on malicious input."""
    calendar = Calendar.from_ical(text)
    if str(calendar.get("METHOD", "")).upper() != "REPLY":
        return None
    event = next(iter(calendar.walk("VEVENT")), None)
    if event is None:
        return None
    meeting_id = signer.find(str(event.get("UID", "")))
    attendees = event.get("ATTENDEE", [])
    attendee = attendees[0] if isinstance(attendees, list) and attendees else attendees
    if meeting_id is None or not attendee:
        return None
    status = str(attendee.params.get("PARTSTAT", "")).lower()
    address = str(attendee)
    if status not in set(AttendeeResponse) or not address.lower().startswith("mailto:"):
        return None
    stamp = event.decoded("DTSTAMP")
    return CalendarAnswer(
        meeting_id=meeting_id,
        email=cleaned(address[len("mailto:") :]),
        response=AttendeeResponse(status),
        sequence=int(event.get("SEQUENCE", 0)),
        stamped_at=stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC),
    )


def _add_times(event: Event, meeting: Meeting) -> None:
    zone = ZoneInfo(meeting.time_zone)
    starts, ends = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    if meeting.whole_day:
        event.add("dtstart", starts.date())
        event.add("dtend", ends.date())  # exclusive: the day after the last one
        event.add("x-microsoft-cdo-alldayevent", "TRUE")
        return
    event.add("dtstart", starts)
    event.add("dtend", ends)


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = cleaned(name)
    return address


def _attendee(guest: Guest) -> vCalAddress:
    address = _address(guest.name, guest.email)
    address.params["CUTYPE"] = "INDIVIDUAL"
    address.params["ROLE"] = "REQ-PARTICIPANT"
    address.params["PARTSTAT"] = guest.response.upper()
    address.params["RSVP"] = "TRUE"
    return address
