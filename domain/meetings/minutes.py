"""Record that a meeting took place and who attended, and summarise it."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from domain import commitments, raid, touchpoints
from domain.access import Right, Tx
from domain.commitments.model import CommitmentKind
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.meetings import events
from domain.meetings.model import Meeting, MeetingState
from domain.meetings.papers import finish_paper
from domain.meetings.people import attendees_of, must_be_invitable, must_be_planned
from domain.touchpoints.model import Touchpoint


class DecisionDraft(NamedTuple):
    """A decision of a meeting, with its rationale."""

    words: str
    rationale: str


class ActionDraft(NamedTuple):
    """An action item of a meeting, with its owner and due time."""

    words: str
    owner_id: UUID | None
    due_at: datetime | None


async def record(
    tx: Tx,
    meeting_id: UUID,
    *,
    contact_ids: Collection[UUID],
    user_ids: Collection[UUID] = (),
    notes: str | None = None,
    expected_version: int | None = None,
) -> Meeting:
    """Record that a meeting took place and who attended; without a contact of the client, the client missed it."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(notes, "notes")
    meeting = await tx.get(Meeting, meeting_id, "meeting", lock=True)
    await must_be_invitable(tx, meeting.account_id, contact_ids, user_ids)
    must_be_planned(meeting, expected_version)
    if meeting.starts_at > tx.at:
        raise Refused(Code.TIME_REVERSED, "The meeting has not begun yet.", argument="id")
    invited = await attendees_of(tx, meeting.id)
    for argument, given, known in (
        ("contactIds", contact_ids, {each.contact_id for each in invited}),
        ("userIds", user_ids, {each.user_id for each in invited}),
    ):
        if set(given) - known:
            raise Refused(Code.NOT_FOUND, "Somebody of these was not invited.", argument=argument)
    for each in invited:
        each.attended = (each.contact_id or each.user_id) in {*contact_ids, *user_ids}
    meeting.held_at, meeting.notes = tx.at, notes
    tx.record(
        events.MeetingHeld(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=meeting.starts_at,
            invited=sum(each.contact_id is not None for each in invited),
            attended=len(set(contact_ids)),
            contact_ids=sorted(set(contact_ids)),
            user_ids=sorted(set(user_ids)),
        )
    )
    await tx.session.flush()
    if meeting.touchpoint_id is not None and contact_ids:
        touchpoint = await tx.session.get_one(Touchpoint, meeting.touchpoint_id)
        if touchpoint.done_at is None:
            with naming_only():
                await touchpoints.complete(tx, touchpoint.id, contact_id=min(contact_ids))
    return meeting


async def summarise(
    tx: Tx,
    meeting_id: UUID,
    *,
    decisions: Sequence[DecisionDraft],
    action_items: Sequence[ActionDraft],
    open_questions: Sequence[str],
    next_meeting_on: date,
    expected_version: int | None = None,
) -> Meeting:
    """Send the summary of a meeting: what was decided, who does what by when, what is open, and when to meet next."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    meeting = await tx.get(Meeting, meeting_id, "meeting", lock=True)
    must_be_current(meeting.version, expected_version)
    must_be_day(next_meeting_on, "nextMeetingOn", tx.at)
    for question in open_questions:
        must_be_line(question, "openQuestions")
    for argument, given in (("decisions", decisions), ("actionItems", action_items)):
        if not given:
            raise Refused(
                Code.INVALID, f"A summary needs {argument}; there are none.", argument=argument
            )
    if meeting.state is not MeetingState.HELD:
        raise Refused(
            Code.INVALID,
            "Record first that the meeting took place, and who attended.",
            argument="id",
        )
    if meeting.summary_sent_at is not None:
        raise Refused(Code.ALREADY_DONE, "The summary was sent already.", argument="id")
    if next_meeting_on <= meeting.ends_at.date():
        raise Refused(
            Code.TIME_REVERSED, "The next meeting is later than this one.", argument="nextMeetingOn"
        )
    await _keep(tx, meeting, decisions, action_items)
    meeting.open_questions, meeting.next_meeting_on = "\n".join(open_questions), next_meeting_on
    meeting.summary_sent_at = tx.at
    tx.record(
        events.MeetingSummarised(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            decisions=len(decisions),
            action_items=len(action_items),
            open_questions=len(open_questions),
            next_meeting_on=next_meeting_on,
        )
    )
    await finish_paper(tx, meeting, CommitmentKind.SUMMARY)
    await tx.session.flush()
    return meeting


async def _keep(
    tx: Tx,
    meeting: Meeting,
    decisions: Sequence[DecisionDraft],
    action_items: Sequence[ActionDraft],
) -> None:
    """Enter decisions in the RAID log, and make commitments of action items: both owner and due time are needed."""
    for item in action_items:
        if item.owner_id is None or item.due_at is None:
            lacking = "an owner" if item.owner_id is None else "a due time"
            raise Refused(
                Code.INVALID,
                f"An action item lacks {lacking}: {item.words}",
                argument="actionItems",
            )
        with naming_only():
            await commitments.make(
                tx,
                meeting.account_id,
                kind=CommitmentKind.ACTION_ITEM,
                words=item.words,
                owner_id=item.owner_id,
                due_at=item.due_at,
                meeting_id=meeting.id,
            )
    for each in decisions:
        draft = raid.RaidDraft(
            raid.RaidKind.DECISION,
            each.words,
            meeting.organiser_id,
            rationale=each.rationale,
            meeting_id=meeting.id,
        )
        with naming_only():
            await raid.raise_entry(tx, meeting.account_id, draft)
