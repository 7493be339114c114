"""Mutations of meetings."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import meetings
from domain.meetings import ActionDraft, DecisionDraft, MeetingDraft
from schema.core import ids
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.roots import mutation_fields
from schema.core.types import input_type
from schema.meetings import Meeting, MeetingId
from schema.touchpoints import TouchpointId

ContactIds = Annotated[list[UUID], GlobalIdOf("Contact")]
MoreContactIds = Annotated[list[UUID] | None, GlobalIdOf("Contact")]
MoreUserIds = Annotated[list[UUID] | None, GlobalIdOf("User")]


@input_type
class MeetingDecisionInput:
    """Decision of a meeting, which is entered in the RAID log."""

    words: Annotated[str, "Line of text that says what was decided."]
    rationale: Annotated[str, "Reasons for the decision."]


@input_type
class ActionItemInput:
    """Action item of a meeting, which becomes a commitment; it needs an owner and a due time."""

    words: Annotated[str, "Line of text that says what is to be done."]
    owner_user_id: Annotated[
        strawberry.ID | None, "User of the company responsible for it; refused without one."
    ] = None
    due_at: Annotated[datetime | None, "Time by which it is due; refused without one."] = None


@mutation_fields
class MeetingMutation:
    """Mutations of meetings."""

    @mutation(Meeting)
    @staticmethod
    async def plan_meeting(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        title: Annotated[str, "Title, as calendars show it; up to 200 characters."],
        starts_at: Annotated[datetime, "Time at which it begins, later than now."],
        ends_at: Annotated[datetime, "Time at which it ends; of whole days the midnight after."],
        organiser_user_id: Annotated[UserId, "User of the company who prepares it."],
        contact_ids: Annotated[ContactIds, "Contacts of the client to invite, at least one."],
        user_ids: Annotated[
            MoreUserIds, "Users of the company to invite besides the organiser."
        ] = None,
        time_zone: Annotated[
            str | None, "IANA time zone of the invitation; null for that of the account."
        ] = None,
        whole_day: Annotated[bool, "Whether it takes whole days, without times."] = False,
        place: Annotated[str | None, "Room, address or link, in one line."] = None,
        agenda: Annotated[
            str | None, "Agenda, if there is one; needed within 24 hours before the beginning."
        ] = None,
        touchpoint_id: Annotated[
            TouchpointId | None, "Planned contact that the meeting completes."
        ] = None,
    ) -> meetings.Meeting:
        """Plan a meeting and invite people by mail, with a calendar file."""
        draft = MeetingDraft(
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            organiser_id=organiser_user_id,
            contact_ids=contact_ids,
            user_ids=user_ids or (),
            time_zone=time_zone,
            whole_day=whole_day,
            place=place,
            agenda=agenda,
            touchpoint_id=touchpoint_id,
        )
        return await meetings.plan(ask.tx, account_id, draft)

    @mutation(Meeting)
    @staticmethod
    async def reschedule_meeting(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that is still to come."],
        starts_at: Annotated[datetime, "Time at which it begins, later than now."],
        ends_at: Annotated[datetime, "Time at which it ends; of whole days the midnight after."],
        place: Annotated[str | None, "Another place; null to keep the one it has."] = None,
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Give a meeting another time or place; calendars are updated and everybody is asked again."""
        return await meetings.reschedule(
            ask.tx,
            id,
            starts_at=starts_at,
            ends_at=ends_at,
            place=place,
            expected_version=expected_version,
        )

    @mutation(Meeting)
    @staticmethod
    async def invite_to_meeting(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that is still to come."],
        contact_ids: Annotated[MoreContactIds, "Further contacts of the client."] = None,
        user_ids: Annotated[MoreUserIds, "Further users of the company."] = None,
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Invite further people to a meeting."""
        return await meetings.invite(
            ask.tx,
            id,
            contact_ids=contact_ids or (),
            user_ids=user_ids or (),
            expected_version=expected_version,
        )

    @mutation(Meeting)
    @staticmethod
    async def send_meeting_agenda(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that is still to come."],
        agenda: Annotated[str, "Text of the agenda."],
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Send the agenda to everybody who is invited."""
        return await meetings.send_agenda(
            ask.tx, id, agenda=agenda, expected_version=expected_version
        )

    @mutation(Meeting)
    @staticmethod
    async def record_meeting(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that has begun."],
        contact_ids: Annotated[
            ContactIds, "Contacts of the client who attended; none if the client missed it."
        ],
        user_ids: Annotated[MoreUserIds, "Users of the company who attended."] = None,
        notes: Annotated[str | None, "Notes for the company alone."] = None,
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Record that a meeting took place, and who attended."""
        return await meetings.record(
            ask.tx,
            id,
            contact_ids=contact_ids,
            user_ids=user_ids or (),
            notes=notes,
            expected_version=expected_version,
        )

    @mutation(Meeting)
    @staticmethod
    async def summarise_meeting(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that was recorded."],
        decisions: Annotated[list[MeetingDecisionInput], "What was decided, at least one."],
        action_items: Annotated[list[ActionItemInput], "Who does what by when, at least one."],
        open_questions: Annotated[
            list[str], "Questions that are left open; none if there are none."
        ],
        next_meeting_on: Annotated[date, "Day of the next meeting, later than this one."],
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Send the summary to everybody who was invited; action items become commitments."""
        return await meetings.summarise(
            ask.tx,
            id,
            decisions=[DecisionDraft(each.words, each.rationale) for each in decisions],
            action_items=[
                ActionDraft(each.words, _owner(each.owner_user_id), each.due_at)
                for each in action_items
            ],
            open_questions=open_questions,
            next_meeting_on=next_meeting_on,
            expected_version=expected_version,
        )

    @mutation(Meeting)
    @staticmethod
    async def cancel_meeting(
        ask: MutationContext,
        id: Annotated[MeetingId, "Meeting that is still to come."],
        by_client: Annotated[bool, "Whether the client cancels it."],
        reason: Annotated[str, "Reason, for the company alone."],
        expected_version: ExpectedVersion = None,
    ) -> meetings.Meeting:
        """Cancel a meeting, and withdraw it from calendars."""
        return await meetings.cancel(
            ask.tx, id, by_client=by_client, reason=reason, expected_version=expected_version
        )


def _owner(id: strawberry.ID | None) -> UUID | None:
    return None if id is None else ids.wanted(id, "User", "actionItems")
