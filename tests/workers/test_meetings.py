"""A meeting from its plan to its summary, through the API, a worker and the mails that calendars send back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar, Event

from domain.access import Role
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.schema.test_meetings import DUE, LIST, done, user
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(60):
        while not (answer := await found()):  # noqa: ASYNC110 - a worker does it
            await asyncio.sleep(0.5)
    return answer


def mails(data: Path, address: str) -> list[Message]:
    """The mails to an address, in the order in which they were written."""
    files = sorted((data / "mail").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    found = [message_from_bytes(file.read_bytes()) for file in files]
    return [each for each in found if address.lower() in str(each["To"]).lower()]


def calendar_of(mail: Message) -> Any:
    """The invitation in a mail: as another form of its text, and the same as a file."""
    parts = {part.get_content_type(): part for part in mail.walk()}
    part, file = parts["text/calendar"], parts["application/ics"]
    shown = part.get_payload(decode=True)
    assert isinstance(shown, bytes)
    assert shown.replace(b"\r\n", b"\n") == file.get_payload(decode=True).replace(b"\r\n", b"\n")  # type: ignore[union-attr]
    calendar = Calendar.from_ical(shown)
    assert part.get_param("method") == str(calendar["METHOD"])
    return calendar


def answer(invitation: Any, email: str, status: str, *, stamp: datetime, more: str = "") -> bytes:
    """The mail that a calendar sends back, as Outlook and Google do."""
    [asked] = invitation.walk("VEVENT")
    calendar, event = Calendar(), Event()
    for name, value in (("prodid", "-//Example//EN"), ("version", "2.0"), ("method", "REPLY")):
        calendar.add(name, value)
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "ORGANIZER"):
        event[name] = asked[name]
    event.add("dtstamp", stamp)
    event.add("attendee", f"mailto:{email}", parameters={"PARTSTAT": status})
    calendar.add_component(event)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = email, "desk@guards.example", f"{status}: x{more}"
    mail.set_content("")
    mail.add_alternative(
        calendar.to_ical().decode(), subtype="calendar", params={"method": "REPLY"}
    )
    return mail.as_bytes()


async def responses(api: Api, office: Office) -> dict[str, str]:
    """The answers by name of contact."""
    [found] = (await api.data(office.manager, LIST, id=office.account))["meetings"]["nodes"]
    named = [each for each in found["attendees"] if each["contact"]]
    return {each["contact"]["name"]: each["response"] for each in named}


async def test_a_meeting_from_plan_to_summary(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    inbox = tmp_path / "maildir"
    (inbox / "new").mkdir(parents=True)

    def arrives(name: str, mail: bytes) -> None:
        (inbox / name).write_bytes(mail)
        (inbox / name).rename(inbox / "new" / name)

    async with (
        asking.running(configured) as api,
        working(bounces=inbox, smtp_from="desk@guards.example"),
    ):
        office = await asking.office(api)
        marga, token = await user(api, office, "Marga", Role.RELATIONSHIP_MANAGER)
        _, guard = await user(api, office, "Gerrit", Role.GUARD)
        people = [ids.write("Contact", each.id) for each in office.world.contacts]
        first, second = (str(each.email) for each in office.world.contacts)
        now = api.state.now()
        starts = (now + timedelta(days=7)).replace(microsecond=0)
        given = {
            "accountId": office.account,
            "title": "Monthly review",
            "startsAt": starts.isoformat(),
            "endsAt": (starts + timedelta(hours=1)).isoformat(),
            "organiserUserId": marga,
            "contactIds": people[:1],
            "place": "Room 2",
        }
        for who in (office.client, office.dispatcher, guard):
            assert (await done(api, who, "planMeeting", **given))["code"] == "NOT_ALLOWED"
        for argument, wrong in (
            ("contactIds", {"contactIds": []}),
            ("startsAt", {"startsAt": now.isoformat()}),
            ("startsAt", {"startsAt": (now + timedelta(hours=2)).isoformat()}),  # without agenda
            ("endsAt", {"endsAt": given["startsAt"]}),
            ("timeZone", {"timeZone": "Mars/Base"}),
            ("startsAt", {"wholeDay": True, "startsAt": starts.replace(minute=7).isoformat(),
                          "endsAt": (starts + timedelta(days=1)).isoformat()}),
            ("organiserUserId", {"organiserUserId": ids.write("User", office.world.client_user.id)}),
            ("title", {"title": "x" * 201}),
        ):  # fmt: skip
            assert (await done(api, token, "planMeeting", **(given | wrong)))[
                "argument"
            ] == argument
        other = await asking.office(api)
        strange = [ids.write("Contact", other.world.contacts[0].id)]
        refused = await done(api, token, "planMeeting", **(given | {"contactIds": strange}))
        assert (refused["code"], refused["argument"]) == ("NOT_FOUND", "contactIds")

        meeting = await done(api, token, "planMeeting", **given)
        assert (meeting["state"], meeting["organiser"]) == ("PLANNED", {"name": "Marga"})
        found = (await api.data(office.client, DUE, id=office.account))["commitments"]["nodes"]
        assert {each["kind"]: each["state"] for each in found} == {
            "AGENDA": "OPEN",
            "SUMMARY": "OPEN",
        }
        due = {each["kind"]: datetime.fromisoformat(each["dueAt"]) for each in found}
        assert starts - due["AGENDA"] == timedelta(hours=24)
        assert due["SUMMARY"] - (starts + timedelta(hours=1)) == timedelta(hours=24)

        async def mail_to(address: str, count: int) -> Message:
            async def enough() -> list[Message] | None:
                await asyncio.sleep(0)
                found = mails(tmp_path, address)
                return found if len(found) >= count else None

            found: list[Message] = await until(enough)
            assert len(found) == count
            return found[-1]

        invitation = calendar_of(await mail_to(first, 1))
        [event] = invitation.walk("VEVENT")
        assert (str(event["SUMMARY"]), event["SEQUENCE"]) == ("Monthly review", 0)
        assert event.decoded("DTSTART") == starts
        assert str(event["ORGANIZER"]) == "mailto:desk@guards.example"
        calendar_of(await mail_to("Marga-", 1))  # colleagues have it in their calendars too

        invited = await done(api, token, "inviteToMeeting", id=meeting["id"], contactIds=people[1:])
        assert len(invited["attendees"]) == 3
        again = await done(api, token, "inviteToMeeting", id=meeting["id"], contactIds=people[1:])
        assert (again["code"], again["argument"]) == ("ALREADY_DONE", "contactIds")
        calendar_of(await mail_to(second, 1))
        assert len(mails(tmp_path, first)) == 1, "nobody is asked twice"

        stamp = datetime.now(UTC)
        arrives("1", answer(invitation, first.upper(), "ACCEPTED", stamp=stamp))
        await until(lambda: _is(api, office, "Contact 0", "ACCEPTED"))
        arrives("2", answer(invitation, second, "TENTATIVE", stamp=stamp))
        await until(lambda: _is(api, office, "Contact 1", "TENTATIVE"))
        # An older answer, one of a stranger, and one to nothing change nothing; the one after them is seen.
        arrives("3", answer(invitation, first, "DECLINED", stamp=stamp - timedelta(hours=1)))
        arrives("4", answer(invitation, "stranger@client.example", "DECLINED", stamp=stamp))
        arrives("5", b"Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nrubbish")
        arrives("6", answer(invitation, second, "DECLINED", stamp=stamp + timedelta(seconds=5)))
        await until(lambda: _is(api, office, "Contact 1", "DECLINED"))
        assert (await responses(api, office))["Contact 0"] == "ACCEPTED"

        moved = starts + timedelta(days=1)
        times = {
            "startsAt": moved.isoformat(), "endsAt": (moved + timedelta(hours=1)).isoformat(),
        }  # fmt: skip
        changed = await done(api, token, "rescheduleMeeting", id=meeting["id"], **times)
        assert changed["sequence"] == 1
        assert await responses(api, office) == {"Contact 0": "AWAITED", "Contact 1": "AWAITED"}
        update = calendar_of(await mail_to(first, 2))
        [event] = update.walk("VEVENT")
        assert (event["SEQUENCE"], event.decoded("DTSTART")) == (1, moved)
        assert event["UID"] == invitation.walk("VEVENT")[0]["UID"]
        arrives(
            "7", answer(invitation, first, "DECLINED", stamp=datetime.now(UTC))
        )  # to the old time
        arrives("8", answer(update, second, "ACCEPTED", stamp=datetime.now(UTC)))
        await until(lambda: _is(api, office, "Contact 1", "ACCEPTED"))
        assert (await responses(api, office))["Contact 0"] == "AWAITED"
        states = (await api.data(token, DUE, id=office.account))["commitments"]["nodes"]
        assert sorted((each["kind"], each["state"]) for each in states) == [
            ("AGENDA", "OPEN"), ("AGENDA", "WITHDRAWN"), ("SUMMARY", "OPEN"), ("SUMMARY", "WITHDRAWN"),
        ]  # fmt: skip

        sent = await done(
            api, token, "sendMeetingAgenda", id=meeting["id"], agenda="1. Incidents\n2. Gate"
        )
        assert sent["agendaSentAt"]
        assert "2. Gate" in str((await mail_to(first, 3)).get_payload()[0].get_payload())  # type: ignore[union-attr,index]
        early = await done(api, token, "recordMeeting", id=meeting["id"], contactIds=people[:1])
        assert (early["code"], early["argument"]) == ("TIME_REVERSED", "id")


async def _is(api: Api, office: Office, name: str, response: str) -> bool:
    return (await responses(api, office)).get(name) == response
