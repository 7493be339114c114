"""Letters of meetings: invitations with their calendar file, agendas and summaries, to everybody invited."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Account, Tenant, User
from domain.commitments.model import Commitment, CommitmentKind
from domain.core.sequencing import SequencedEvent
from domain.meetings.invitation import MEDIA_TYPE, CalendarMethod, invitation_of
from domain.meetings.model import Meeting
from domain.meetings.people import attendees_of, guests_of
from domain.messages import Attachment
from domain.raid.model import RaidEntry

FOLDER = Path(__file__).parent / "templates"


class AboutMeeting(messages.Variables, frozen=True, kw_only=True):
    """Variables of every letter about a meeting."""

    folder: ClassVar[Path] = FOLDER
    version: ClassVar[int] = 1
    email_only: ClassVar[bool] = True

    account: str
    title: str
    starts_at: datetime
    starts_on: date  # in the time zone of the meeting


class MeetingInvitation(AboutMeeting, frozen=True, kw_only=True):
    """An invitation, its update or its cancellation; the calendar file is with it."""

    template: ClassVar[str] = "meeting_invitation"

    step: Literal["request", "update", "cancel"]
    minutes: int
    whole_day: bool
    place: str | None
    agenda: str | None


class MeetingAgenda(AboutMeeting, frozen=True, kw_only=True):
    """The agenda of a meeting."""

    template: ClassVar[str] = "meeting_agenda"

    agenda: str


class SummarisedDecision(msgspec.Struct, frozen=True):
    """A decision in a summary."""

    words: str
    rationale: str


class SummarisedAction(msgspec.Struct, frozen=True):
    """An action item in a summary."""

    words: str
    due_at: datetime


class MeetingSummary(AboutMeeting, frozen=True, kw_only=True):
    """The summary of a meeting."""

    template: ClassVar[str] = "meeting_summary"

    decisions: list[SummarisedDecision]
    action_items: list[SummarisedAction]
    open_questions: list[str]
    next_meeting_on: date


async def send_invitations(tx: Tx, fact: SequencedEvent) -> None:
    """Invite everybody who has no invitation to this version of the meeting yet, or withdraw the invitations."""
    meeting = await tx.session.get_one(Meeting, fact.subject_id)
    is_off = meeting.cancelled_at is not None
    method = CalendarMethod.CANCEL if is_off else CalendarMethod.REQUEST
    organiser = await tx.session.get_one(User, meeting.organiser_id)
    guests = await guests_of(tx, meeting.id)
    content = invitation_of(meeting, guests, organiser=organiser.name, stamped_at=fact.at)
    is_update = fact.kind == "meeting.rescheduled"
    step = "cancel" if is_off else "update" if is_update else "request"
    await _send(
        tx,
        meeting,
        f"meeting:{meeting.id}:{meeting.sequence}",
        MeetingInvitation,
        {
            "step": step,
            "minutes": int((meeting.ends_at - meeting.starts_at).total_seconds()) // 60,
            "whole_day": meeting.whole_day,
            "place": meeting.place,
            "agenda": meeting.agenda,
        },
        [Attachment("meeting.ics", f"{MEDIA_TYPE}{method}", content)],
    )


async def send_meeting_agenda(tx: Tx, fact: SequencedEvent) -> None:
    """Send an agenda that was not with the invitation."""
    meeting = await tx.session.get_one(Meeting, fact.subject_id)
    if meeting.agenda is None or meeting.agenda_sent_at == meeting.planned_at:
        return
    intent = f"meeting:{meeting.id}:agenda"
    await _send(tx, meeting, intent, MeetingAgenda, {"agenda": meeting.agenda})


async def send_meeting_summary(tx: Tx, fact: SequencedEvent) -> None:
    """Send the summary with the decisions and action items as they were agreed."""
    meeting = await tx.session.get_one(Meeting, fact.subject_id)
    decided = await tx.session.scalars(
        select(RaidEntry).where(RaidEntry.meeting_id == meeting.id).order_by(RaidEntry.id)
    )
    items = await tx.session.scalars(
        select(Commitment)
        .where(Commitment.meeting_id == meeting.id, Commitment.kind == CommitmentKind.ACTION_ITEM)
        .order_by(Commitment.due_at, Commitment.id)
    )
    variables = {
        "decisions": [SummarisedDecision(each.words, each.rationale or "") for each in decided],
        "action_items": [SummarisedAction(each.words, each.due_at) for each in items],
        "open_questions": (meeting.open_questions or "").splitlines(),
        "next_meeting_on": meeting.next_meeting_on,
    }
    await _send(tx, meeting, f"meeting:{meeting.id}:summary", MeetingSummary, variables)


async def _send(
    tx: Tx,
    meeting: Meeting,
    intent: str,
    template: type[AboutMeeting],
    variables: dict[str, Any],
    attachments: list[Attachment] | None = None,
) -> None:
    account = await tx.session.get_one(Account, meeting.account_id)
    tenant = await tx.session.get_one(Tenant, meeting.tenant_id)
    shared = {
        "company": tenant.name,
        "account": account.name,
        "title": meeting.title,
        "starts_at": meeting.starts_at,
        "starts_on": meeting.starts_at.astimezone(ZoneInfo(meeting.time_zone)).date(),
    }
    invited = await attendees_of(tx, meeting.id)
    given = shared | variables
    await messages.compose(
        tx,
        account.id,
        intent=intent,
        template=template,
        variables=given,
        attachments=attachments or (),
        contacts=[each.contact_id for each in invited if each.contact_id is not None],
    )
    await messages.compose_to_users(
        tx,
        [each.user_id for each in invited if each.user_id is not None],
        account_id=account.id,
        intent=intent,
        template=template,
        variables=given,
        attachments=attachments or (),
    )
