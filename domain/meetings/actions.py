"""Plan meetings, send their agendas, reschedule and cancel them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.commitments.model import CommitmentKind
from domain.core.base import uuid7
from domain.core.bounds import must_be_instant
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line, must_be_text
from domain.meetings import events
from domain.meetings.model import AttendeeResponse, Meeting
from domain.meetings.papers import drop_papers, finish_paper, promise_papers
from domain.meetings.people import add_attendees, attendees_of, must_be_invitable, planned
from domain.meetings.rules import agenda_due_at, must_be_times, must_be_zone
from domain.touchpoints.model import Touchpoint

LONGEST_TITLE = 200


class MeetingDraft(NamedTuple):
    """What is planned; `time_zone` is the client's where none is given."""

    title: str
    starts_at: datetime
    ends_at: datetime
    organiser_id: UUID
    contact_ids: Collection[UUID]
    user_ids: Collection[UUID] = ()
    time_zone: str | None = None
    whole_day: bool = False
    place: str | None = None
    agenda: str | None = None
    touchpoint_id: UUID | None = None


async def plan(tx: Tx, account_id: UUID, draft: MeetingDraft) -> Meeting:
    """Plan a meeting with contacts of a client; the agenda and the summary become commitments of the organiser."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    await commitments.must_be_colleague(
        tx, draft.organiser_id, account.id, argument="organiserUserId"
    )
    await must_be_invitable(tx, account.id, draft.contact_ids, draft.user_ids)
    if draft.touchpoint_id is not None:
        await _must_be_open(tx, draft.touchpoint_id, account.id)
    must_be_line(draft.title, "title")
    if len(draft.title) > LONGEST_TITLE:
        raise Refused(
            Code.INVALID, f"title has at most {LONGEST_TITLE} characters.", argument="title"
        )
    must_be_line(draft.place, "place")
    must_be_text(draft.agenda, "agenda")
    zone = draft.time_zone or account.time_zone
    must_be_zone(zone)
    _check_times(tx, draft.starts_at, draft.ends_at, whole_day=draft.whole_day, zone=zone)
    if not draft.contact_ids:
        raise Refused(
            Code.INVALID, "A meeting needs a contact of the client.", argument="contactIds"
        )
    meeting = Meeting(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        title=draft.title,
        place=draft.place,
        time_zone=zone,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        whole_day=draft.whole_day,
        organiser_id=draft.organiser_id,
        touchpoint_id=draft.touchpoint_id,
        planned_at=tx.at,
        sequence=0,
        agenda=draft.agenda,
    )
    _must_be_in_time_or_given(tx, meeting)
    tx.session.add(meeting)
    await tx.session.flush()
    users = {draft.organiser_id, *draft.user_ids}
    await add_attendees(tx, meeting, draft.contact_ids, users)
    tx.record(
        events.MeetingPlanned(
            account_id=account.id,
            subject_id=meeting.id,
            at=tx.at,
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            contact_ids=sorted(set(draft.contact_ids)),
            user_ids=sorted(users),
        )
    )
    await promise_papers(tx, account, meeting)
    if meeting.agenda is not None:
        _note_agenda(tx, meeting)
    await tx.session.flush()
    return meeting


async def reschedule(
    tx: Tx,
    meeting_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime,
    place: str | None = None,
    expected_version: int | None = None,
) -> Meeting:
    """Give a planned meeting another time, and another place where one is given; everybody is asked again."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(place, "place")
    meeting = await planned(tx, meeting_id, expected_version)
    _check_times(tx, starts_at, ends_at, whole_day=meeting.whole_day, zone=meeting.time_zone)
    before = (meeting.starts_at, meeting.ends_at, meeting.place, meeting.sequence)
    if (starts_at, ends_at) == (meeting.starts_at, meeting.ends_at) and place in (
        None,
        meeting.place,
    ):
        raise Refused(Code.ALREADY_DONE, "It is planned there and then.", argument="startsAt")
    account = await tx.session.get_one(Account, meeting.account_id)
    await drop_papers(tx, meeting, "The meeting has another time.")
    meeting.starts_at, meeting.ends_at = starts_at, ends_at
    meeting.place = meeting.place if place is None else place
    meeting.sequence += 1
    _must_be_in_time_or_given(tx, meeting)
    for attendee in await attendees_of(tx, meeting.id):
        if attendee.user_id != meeting.organiser_id:
            attendee.response, attendee.responded_at = AttendeeResponse.AWAITED, None
    tx.record(
        events.MeetingRescheduled(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            starts_at=meeting.starts_at,
            starts_at_before=before[0],
            ends_at=meeting.ends_at,
            ends_at_before=before[1],
            place=meeting.place,
            place_before=before[2],
            sequence=meeting.sequence,
            sequence_before=before[3],
        )
    )
    await promise_papers(tx, account, meeting)
    await tx.session.flush()
    return meeting


async def send_agenda(
    tx: Tx, meeting_id: UUID, *, agenda: str, expected_version: int | None = None
) -> Meeting:
    """Send the agenda of a planned meeting to everybody invited; its commitment is done with it."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(agenda, "agenda")
    meeting = await planned(tx, meeting_id, expected_version)
    if meeting.agenda_sent_at is not None:
        raise Refused(Code.ALREADY_DONE, "The agenda was sent already.", argument="id")
    meeting.agenda = agenda
    _note_agenda(tx, meeting)
    await finish_paper(tx, meeting, CommitmentKind.AGENDA)
    await tx.session.flush()
    return meeting


async def cancel(
    tx: Tx, meeting_id: UUID, *, by_client: bool, reason: str, expected_version: int | None = None
) -> Meeting:
    """Cancel a planned meeting; its invitations are withdrawn from calendars."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    meeting = await planned(tx, meeting_id, expected_version)
    await drop_papers(tx, meeting, "The meeting was cancelled.")
    meeting.cancelled_at, meeting.cancelled_by_client = tx.at, by_client
    meeting.cancel_reason = reason
    meeting.sequence += 1
    tx.record(
        events.MeetingCancelled(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            by_client=by_client,
        )
    )
    await tx.session.flush()
    return meeting


def _check_times(
    tx: Tx, starts_at: datetime, ends_at: datetime, *, whole_day: bool, zone: str
) -> None:
    must_be_instant(starts_at, "startsAt", tx.at)
    must_be_instant(ends_at, "endsAt", tx.at)
    must_be_times(starts_at, ends_at, whole_day=whole_day, zone=zone, now=tx.at)


def _must_be_in_time_or_given(tx: Tx, meeting: Meeting) -> None:
    if meeting.agenda is None and agenda_due_at(meeting.starts_at) <= tx.at:
        raise Refused(
            Code.INVALID,
            "The agenda is due 24 hours before the meeting. Give it now, or choose a later beginning.",
            argument="startsAt",
        )


def _note_agenda(tx: Tx, meeting: Meeting) -> None:
    meeting.agenda_sent_at = tx.at
    tx.record(
        events.AgendaSent(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            before_s=int((meeting.starts_at - tx.at).total_seconds()),
        )
    )


async def _must_be_open(tx: Tx, touchpoint_id: UUID, account_id: UUID) -> None:
    own = (Touchpoint.account_id == account_id) & tx.actor.scope(Touchpoint)
    found = await tx.get(
        Touchpoint, touchpoint_id, "touchpoint of this client", argument="touchpointId", among=own
    )
    if found.done_at is not None:
        raise Refused(
            Code.ALREADY_DONE, "This touchpoint is already completed.", argument="touchpointId"
        )
