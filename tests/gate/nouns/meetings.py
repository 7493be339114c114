"""Meetings for the probes of the gate: one planned, one held, one summarised, one cancelled."""

from datetime import timedelta
from typing import Any

from domain import accounts, meetings
from domain.access import Actor, Tx
from domain.accounts import Contact
from domain.core.base import uuid7
from domain.core.db import transaction
from domain.meetings import ActionDraft, DecisionDraft, Meeting, MeetingDraft
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.commitments import owner_of


async def _contact(tx: Tx, office: Office) -> Contact:
    return await accounts.add_contact(
        tx, office.world.account.id, name="Visitor", role="buyer", email=f"{uuid7()}@example.org"
    )


async def meeting(api: Api, office: Office, *, days: float = 30) -> Meeting:
    """A meeting that begins in some days; one of the past was planned before it."""
    now = api.state.now()
    async with transaction(api.make) as session:
        starts = now + timedelta(days=days)
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), starts - timedelta(days=3))
        draft = MeetingDraft(
            "Monthly review", starts, starts + timedelta(hours=1), await owner_of(tx),
            [(await _contact(tx, office)).id],
        )  # fmt: skip
        return await meetings.plan(tx, office.world.account.id, draft)


async def held(api: Api, office: Office) -> Meeting:
    """A meeting of yesterday that took place."""
    row = await meeting(api, office, days=-1)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return await meetings.record(tx, row.id, contact_ids=[], notes="Nobody came")


async def furnish(api: Api, office: Office) -> None:
    """Plan, hold, summarise and cancel meetings."""
    await meeting(api, office)
    summarised, cancelled = await held(api, office), await meeting(api, office)
    now = api.state.now()
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), now)
        action = ActionDraft("Call the client", await owner_of(tx), now + timedelta(days=3_000))
        await meetings.summarise(
            tx, summarised.id, decisions=[DecisionDraft("Meet again", "Nobody came.")],
            action_items=[action], open_questions=["Why?"],
            next_meeting_on=(now + timedelta(days=30)).date(),
        )  # fmt: skip
        await meetings.cancel(tx, cancelled.id, by_client=True, reason="Ill")


async def _planned(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("Meeting", (await meeting(api, office)).id)}


async def _past(api: Api, office: Office) -> dict[str, Any]:
    row = await meeting(api, office, days=-1)
    return {"id": ids.write("Meeting", row.id), "contactIds": [], "userIds": []}


async def _people(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        contact, owner = await _contact(tx, office), await owner_of(tx)
    return {
        "contactIds": [ids.write("Contact", contact.id)],
        "userIds": [],
        "organiserUserId": ids.write("User", owner),
    }


async def _times(api: Api, days: float) -> dict[str, Any]:
    starts = api.state.now() + timedelta(days=days)
    return {
        "startsAt": starts.isoformat(),
        "endsAt": (starts + timedelta(hours=1)).isoformat(),
    }


async def _plan(api: Api, office: Office) -> dict[str, Any]:
    more = {"timeZone": "Europe/Amsterdam", "wholeDay": False, "touchpointId": None}
    return await _people(api, office) | await _times(api, 20) | more


async def _rescheduled(api: Api, office: Office) -> dict[str, Any]:
    return await _planned(api, office) | await _times(api, 40)


async def _invited(api: Api, office: Office) -> dict[str, Any]:
    people = await _people(api, office)
    return await _planned(api, office) | {name: people[name] for name in ("contactIds", "userIds")}


async def _summarised(api: Api, office: Office) -> dict[str, Any]:
    row, people = await held(api, office), await _people(api, office)
    due = (api.state.now() + timedelta(days=3_000)).isoformat()
    return {
        "id": ids.write("Meeting", row.id),
        "decisions": [{"words": "Meet again", "rationale": "Nobody came."}],
        "actionItems": [{"words": "Call", "ownerUserId": people["organiserUserId"], "dueAt": due}],
        "openQuestions": [],
        "nextMeetingOn": (api.state.now() + timedelta(days=30)).date().isoformat(),
    }


DOABLE = {
    "planMeeting": _plan,
    "rescheduleMeeting": _rescheduled,
    "inviteToMeeting": _invited,
    "sendMeetingAgenda": _planned,
    "recordMeeting": _past,
    "summariseMeeting": _summarised,
    "cancelMeeting": _planned,
}
LAST_FACTS = {"meetingEvents": "meeting.cancelled"}
