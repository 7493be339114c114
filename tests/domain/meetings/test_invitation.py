"""Invitations: read by icalendar and by ical.js as they were meant, over changes of the clocks and for whole days."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event

from domain.core.base import uuid7
from domain.meetings import (
    AttendeeResponse,
    Meeting,
    addressed,
    answer_in,
    invitation_of,
)
from domain.meetings.invitation import Guest
from domain.messages import MessageSigner
from tests.gate import node

SIGNER = MessageSigner(b"a key of these tests")
OURS = "desk@guards.example"
STAMP = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
GUESTS = [
    Guest('An "de" Boer; inkoop, NL', "an@client.example", AttendeeResponse.AWAITED),
    Guest("Jörg", "j@client.example", AttendeeResponse.TENTATIVE),
]
AGENDA = "1. Storingen; stand van zaken, kosten\n2. Één nieuwe poort\n" + "3. " + "lang " * 40


def meeting(starts: datetime, ends: datetime, **more: Any) -> Meeting:
    given = {
        "id": uuid7(),
        "title": "Kwartaaloverleg, Haven & Co",
        "place": "Kamer 2; Haven",
        "time_zone": "Europe/Amsterdam",
        "whole_day": False,
        "sequence": 0,
        "agenda": AGENDA,
    }
    return Meeting(starts_at=starts, ends_at=ends, **(given | more))


def sent(row: Meeting) -> bytes:
    """The invitation as a mail holds it."""
    stored = invitation_of(row, GUESTS, organiser="Marga", stamped_at=STAMP)
    return addressed(stored, SIGNER, sent_from=OURS)


def read_by_python(content: bytes) -> dict[str, Any]:
    calendar = Calendar.from_ical(content)
    [event] = calendar.walk("VEVENT")
    starts, ends = event.decoded("DTSTART"), event.decoded("DTEND")
    is_date = not isinstance(starts, datetime)
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "description": str(event["DESCRIPTION"]),
        "location": str(event["LOCATION"]),
        "isDate": is_date,
        "start": str(starts) if is_date else shown(starts),
        "end": str(ends) if is_date else shown(ends),
        "zone": None if is_date else str(event["DTSTART"].params.get("TZID", "UTC")),
        "organiser": str(event["ORGANIZER"]),
        "attendees": [
            [str(each), each.params["PARTSTAT"], each.params["CN"]] for each in event["ATTENDEE"]
        ],
    }


def read_by_javascript(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        node.run("ical.mjs", json.dumps({"ics": content.decode()}), timeout=60)
    )
    return found


def shown(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=AMSTERDAM).astimezone(UTC)


CASES = {
    "winter": meeting(local(2026, 1, 15, 9), local(2026, 1, 15, 10)),
    "summer": meeting(local(2026, 7, 15, 9), local(2026, 7, 15, 10)),
    "over the gap": meeting(local(2026, 3, 29, 1, 30), local(2026, 3, 29, 3, 30)),
    "over the repeated hour": meeting(local(2026, 10, 25, 1, 30), local(2026, 10, 25, 3, 30)),
    "years ahead": meeting(local(2033, 6, 1, 9), local(2033, 6, 1, 10)),
    "elsewhere": meeting(
        datetime(2026, 3, 10, 14, tzinfo=UTC),
        datetime(2026, 3, 10, 15, tzinfo=UTC),
        time_zone="America/New_York",
    ),
    "in UTC": meeting(
        datetime(2026, 3, 10, 14, tzinfo=UTC),
        datetime(2026, 3, 10, 15, tzinfo=UTC),
        time_zone="UTC",
    ),
    "a whole day of 23 hours": meeting(local(2026, 3, 29), local(2026, 3, 30), whole_day=True),
    "two whole days": meeting(local(2026, 10, 24), local(2026, 10, 26), whole_day=True),
    "an update": meeting(local(2026, 1, 15, 9), local(2026, 1, 15, 10), sequence=3),
    "a cancellation": meeting(
        local(2026, 1, 15, 9), local(2026, 1, 15, 10), sequence=4, cancelled_at=STAMP
    ),
}


def wanted(row: Meeting) -> dict[str, Any]:
    zone = ZoneInfo(row.time_zone)
    days = [at.astimezone(zone).date().isoformat() for at in (row.starts_at, row.ends_at)]
    times = [shown(row.starts_at), shown(row.ends_at)]
    start, end = days if row.whole_day else times
    is_off = row.cancelled_at is not None
    return {
        "method": "CANCEL" if is_off else "REQUEST",
        "uid": f"{SIGNER.signed(row.id)}@guards.example",
        "sequence": row.sequence,
        "status": "CANCELLED" if is_off else "CONFIRMED",
        "summary": row.title,
        "description": row.agenda,
        "location": row.place,
        "isDate": row.whole_day,
        "start": start,
        "end": end,
        "zone": None if row.whole_day else row.time_zone,
        "organiser": f"mailto:{OURS}",
        "attendees": [
            [f"mailto:{each.email}", each.response.upper(), each.name] for each in GUESTS
        ],
    }


@pytest.mark.parametrize("name", CASES)
def test_icalendar_reads_what_was_meant(name: str) -> None:
    assert read_by_python(sent(CASES[name])) == wanted(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_ical_js_reads_what_was_meant(name: str) -> None:
    found, expected = read_by_javascript(sent(CASES[name])), wanted(CASES[name])
    if found["zone"] in {"Z", "UTC"}:
        found["zone"] = "UTC"
    assert found == expected


@pytest.mark.parametrize("name", CASES)
def test_lines_are_as_the_standard_wants_them(name: str) -> None:
    content = sent(CASES[name])
    lines = content.split(b"\r\n")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    assert len(content) < 4_000


def answer(row: Meeting, status: str, **more: Any) -> str:
    """What a calendar sends back."""
    given = {"email": "an@client.example", "sequence": row.sequence, "stamp": STAMP} | more
    uid = more.get("uid") or f"{SIGNER.signed(row.id)}@guards.example"
    calendar, event = Calendar(), Event()
    calendar.add("prodid", "-//Example//EN")
    calendar.add("version", "2.0")
    calendar.add("method", more.get("method", "REPLY"))
    event.add("uid", uid)
    event.add("dtstamp", given["stamp"])
    event.add("dtstart", row.starts_at)
    event.add("sequence", given["sequence"])
    event.add("attendee", f"mailto:{given['email']}", parameters={"PARTSTAT": status})
    event.add("organizer", f"mailto:{OURS}")
    calendar.add_component(event)
    text: str = calendar.to_ical().decode()
    return text


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("ACCEPTED", AttendeeResponse.ACCEPTED),
        ("DECLINED", AttendeeResponse.DECLINED),
        ("TENTATIVE", AttendeeResponse.TENTATIVE),
        ("accepted", AttendeeResponse.ACCEPTED),
    ],
)
def test_an_answer_is_understood(status: str, meant: AttendeeResponse) -> None:
    row = CASES["an update"]
    found = answer_in(answer(row, status), SIGNER)
    assert found is not None
    assert (found.meeting_id, found.email, found.response, found.sequence, found.stamped_at) == (
        row.id, "an@client.example", meant, 3, STAMP,
    )  # fmt: skip
    assert answer_in(answer(row, status).replace("mailto:", "MAILTO:"), SIGNER) == found


def test_nothing_else_is_an_answer() -> None:
    row = CASES["winter"]
    assert answer_in(answer(row, "DELEGATED"), SIGNER) is None
    assert answer_in(answer(row, "ACCEPTED", method="REQUEST"), SIGNER) is None
    assert answer_in(answer(row, "ACCEPTED", uid=f"{row.id}@guards.example"), SIGNER) is None
    stranger = MessageSigner(b"another installation").signed(row.id)
    assert answer_in(answer(row, "ACCEPTED", uid=f"{stranger}@x.example"), SIGNER) is None
    assert answer_in(sent(row).decode(), SIGNER) is None
    floating = answer(row, "ACCEPTED").replace(
        "DTSTAMP:20260301T120000Z", "DTSTAMP:20260301T120000"
    )
    found = answer_in(floating, SIGNER)
    assert found is not None
    assert found.stamped_at == STAMP
