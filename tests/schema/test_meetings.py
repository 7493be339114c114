"""Meetings through the API: who may do what, what a summary needs, and what is late once by a moved clock."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import accounts, meetings
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.meetings import MeetingDraft
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from workers.commitments import look_at_due

pytestmark = pytest.mark.anyio

FIELDS = """id title state sequence startsAt agenda agendaSentAt openQuestions nextMeetingOn summarySentAt notes
  cancelReason organiser { name } version
  attendees { response attended contact { name email } user { name } }
  decisions { words rationale kind } actionItems { words state dueAt }"""


def document(name: str) -> str:
    title = name[0].upper() + name[1:]
    return (
        f"mutation($input: {title}Input!) {{ {name}(input: $input)"
        f" {{ ... on Meeting {{ {FIELDS} }} ... on Refusal {{ code argument message }} }} }}"
    )


LIST = f"query($id: ID) {{ meetings(accountId: $id) {{ nodes {{ {FIELDS} }} }} }}"
DUE = """query($id: ID) { commitments(accountId: $id, first: 20) { nodes { kind state words dueAt } } }"""


async def done(api: Api, token: str, name: str, **given: Any) -> Any:
    return (await api.data(token, document(name), input=given))[name]


async def user(api: Api, office: Office, name: str, role: Role) -> tuple[str, str]:
    """A colleague: id and token."""
    async with transaction(api.make) as session:
        row = await accounts.add_user(
            Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0),
            email=f"{name}-{office.world.site.id}@guards.example",
            name=name,
            role=role,
        )
    return ids.write("User", row.id), api.token(row.id)


async def test_a_summary_needs_everything_and_makes_commitments(api: Api, office: Office) -> None:
    marga, token = await user(api, office, "Marga", Role.RELATIONSHIP_MANAGER)
    people = [ids.write("Contact", each.id) for each in office.world.contacts]
    meeting = await past(api, office, marga, people)
    outsider = ids.write("User", office.world.client_user.id)
    refused = await done(api, token, "recordMeeting", id=meeting, contactIds=[], userIds=[outsider])
    assert (refused["code"], refused["argument"]) == ("NOT_FOUND", "userIds")
    now = api.state.now()
    due = (now + timedelta(days=3)).isoformat()
    item = {"words": "Change the lock", "ownerUserId": marga, "dueAt": due}
    summary = {
        "id": meeting,
        "decisions": [{"words": "A new lock", "rationale": "The old one is unsafe."}],
        "actionItems": [item],
        "openQuestions": ["Who pays?"],
        "nextMeetingOn": (now + timedelta(days=30)).date().isoformat(),
    }
    early = await done(api, token, "summariseMeeting", **summary)
    assert (early["code"], early["argument"]) == ("INVALID", "id")
    held = await done(
        api, token, "recordMeeting", id=meeting, contactIds=people[:1], notes="Bring cake"
    )
    assert held["state"] == "HELD"
    assert [each["attended"] for each in held["attendees"] if each["contact"]] == [True, False]
    for argument, wrong in (
        ("decisions", {"decisions": []}),
        ("actionItems", {"actionItems": []}),
        ("actionItems", {"actionItems": [item | {"ownerUserId": None}]}),
        ("actionItems", {"actionItems": [item | {"dueAt": None}]}),
        ("nextMeetingOn", {"nextMeetingOn": "2020-01-01"}),
        ("openQuestions", {"openQuestions": ["two\nlines"]}),
    ):
        refused = await done(api, token, "summariseMeeting", **(summary | wrong))
        assert (refused["code"] in {"INVALID", "TIME_REVERSED"}, refused["argument"]) == (
            True,
            argument,
        )
    assert (await done(api, office.client, "summariseMeeting", **summary))["code"] == "NOT_ALLOWED"
    kept = await done(api, token, "summariseMeeting", **summary)
    assert kept["decisions"] == [
        {"words": "A new lock", "rationale": "The old one is unsafe.", "kind": "DECISION"}
    ]
    assert [each["words"] for each in kept["actionItems"]] == ["Change the lock"]
    assert kept["openQuestions"] == ["Who pays?"]
    again = await done(api, token, "summariseMeeting", **summary)
    assert again["code"] == "ALREADY_DONE"
    [seen] = (await api.data(office.client, LIST, id=office.account))["meetings"]["nodes"]
    assert (seen["notes"], seen["organiser"]) == (None, None)
    assert seen["openQuestions"] == ["Who pays?"]
    assert [each["user"] for each in seen["attendees"]] == [None] * 3
    stranger = await asking.office(api)
    found = await api.data(stranger.manager, LIST, id=office.account)
    assert found["meetings"]["nodes"] == []


async def test_agenda_and_summary_are_late_once_by_a_moved_clock(api: Api, office: Office) -> None:
    marga, token = await user(api, office, "Marga", Role.RELATIONSHIP_MANAGER)
    starts = api.state.now() + timedelta(days=7)
    people = [ids.write("Contact", office.world.contacts[0].id)]
    given = {
        "accountId": office.account, "title": "Review", "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=1)).isoformat(), "organiserUserId": marga,
        "contactIds": people,
    }  # fmt: skip
    meeting = await done(api, token, "planMeeting", **given)
    moment = timedelta(microseconds=1)
    agenda, summary = starts - timedelta(hours=24), starts + timedelta(hours=25)

    async def late() -> int:
        async with api.make() as session:
            facts = await session.scalars(
                select(LedgerRow.id).where(
                    LedgerRow.kind == "commitment.late",
                    LedgerRow.account_id == office.world.account.id,
                )
            )
            return len(facts.all())

    for at, count in (
        (agenda, 0), (agenda + moment, 1), (agenda + moment, 1), (summary, 1),
        (summary + moment, 2), (summary + timedelta(days=9), 2),
    ):  # fmt: skip
        await look_at_due(api.make, at=at)
        assert await late() == count, at
    for who in (office.client, office.dispatcher):
        refused = await done(
            api, who, "cancelMeeting", id=meeting["id"], byClient=True, reason="Ill"
        )
        assert refused["code"] == "NOT_ALLOWED"
    gone = await done(api, token, "cancelMeeting", id=meeting["id"], byClient=True, reason="Ill")
    assert (gone["state"], gone["sequence"], gone["cancelReason"]) == ("CANCELLED", 1, "Ill")
    refused = await done(api, token, "sendMeetingAgenda", id=meeting["id"], agenda="1.")
    assert (refused["code"], refused["argument"]) == ("ALREADY_DONE", "id")


async def past(api: Api, office: Office, organiser: str, people: list[str]) -> str:
    """A meeting that began an hour ago."""
    starts = api.state.now() - timedelta(hours=1)
    async with transaction(api.make) as session:
        system = Actor.system(office.world.tenant.id, "test")
        row = await meetings.plan(
            Tx(session, system, starts - timedelta(days=3)),
            office.world.account.id,
            MeetingDraft(
                "Review", starts, starts + timedelta(minutes=30),
                ids.wanted(organiser, "User", "organiser"),
                [ids.wanted(each, "Contact", "people") for each in people],
            ),
        )  # fmt: skip
    return ids.write("Meeting", row.id)
