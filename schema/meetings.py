"""Meetings with clients: the list and the feed. The mutations are in `schema/meeting_mutations.py`."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, commitments, meetings, raid, touchpoints
from domain.commitments import CommitmentKind
from domain.meetings import AttendeeResponse, MeetingState
from schema.accounts import Account
from schema.commitments import Commitment
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import GlobalIdOf
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.raid import RaidEntry
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.touchpoints import Touchpoint
from schema.users import User

enum(
    MeetingState,
    "MeetingState",
    planned="Planned, and neither recorded nor cancelled.",
    held="It took place, and who attended is recorded.",
    cancelled="Cancelled before it took place.",
)
enum(
    AttendeeResponse,
    "AttendeeResponse",
    awaited="No answer to the invitation yet.",
    accepted="The invitation was accepted.",
    declined="The invitation was declined.",
    tentative="Perhaps: the invitation was accepted tentatively.",
)
MeetingRow = strawberry.Parent[meetings.Meeting]
AttendeeRow = strawberry.Parent[meetings.MeetingAttendee]
MeetingId = Annotated[UUID, GlobalIdOf("Meeting")]


@from_row(meetings.MeetingAttendee)
class MeetingAttendee(Node):
    """Person invited to a meeting: a contact of the client, or a user of the company."""

    response: Annotated[AttendeeResponse, "Answer to the invitation, as calendars send it."]
    responded_at: Annotated[datetime | None, "Time of the answer; null while it is awaited."]
    attended: Annotated[
        bool | None, "Whether the person attended; null until the meeting is recorded."
    ]

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: AttendeeRow, info: Info) -> accounts.Contact | None:
        """Contact of the client; null for a user of the company."""
        return await info.context.get(accounts.Contact, row.contact_id)

    @resolver(User | None)
    @staticmethod
    async def user(row: AttendeeRow, info: Info) -> accounts.User | None:
        """User of the company; null for a contact. Null for clients."""
        return await info.context.get(accounts.User, row.user_id)


@from_row(meetings.Meeting)
class Meeting(Node):
    """Meeting of people of the company with people of a client."""

    title: Annotated[str, "Title, as calendars show it."]
    place: Annotated[str | None, "Room, address or link; null when none is given."]
    time_zone: Annotated[str, "IANA time zone in which invitations state its times."]
    starts_at: Annotated[datetime, "Time at which it begins."]
    ends_at: Annotated[datetime, "Time at which it ends; of whole days the midnight after them."]
    whole_day: Annotated[bool, "Whether it takes whole days, without times."]
    agenda: Annotated[str | None, "Text of the agenda; null until there is one."]
    agenda_sent_at: Annotated[datetime | None, "Time at which the agenda was sent."]
    held_at: Annotated[datetime | None, "Time at which it was recorded that it took place."]
    notes: Annotated[str | None, "Notes of the company on the meeting.", RESTRICTED]
    next_meeting_on: Annotated[date | None, "Day of the next meeting, as the summary says."]
    summary_sent_at: Annotated[datetime | None, "Time at which the summary was sent."]
    cancelled_at: Annotated[datetime | None, "Time at which it was cancelled."]
    cancelled_by_client: Annotated[bool | None, "Whether the client cancelled it.", RESTRICTED]
    cancel_reason: Annotated[str | None, "Reason for the cancellation.", RESTRICTED]
    sequence: Annotated[int, "Number of changes of time or place, and of cancellations."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(MeetingState)
    @staticmethod
    def state(row: MeetingRow) -> MeetingState:
        """State of the meeting."""
        return row.state

    @resolver(list[str])
    @staticmethod
    def open_questions(row: MeetingRow) -> list[str]:
        """Questions that the meeting left open, as the summary says."""
        return (row.open_questions or "").splitlines()

    @resolver(User | None)
    @staticmethod
    async def organiser(row: MeetingRow, info: Info) -> accounts.User | None:
        """User of the company who is responsible for agenda and summary. Null for clients."""
        return await info.context.get(accounts.User, row.organiser_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: MeetingRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Touchpoint | None)
    @staticmethod
    async def touchpoint(row: MeetingRow, info: Info) -> touchpoints.Touchpoint | None:
        """Planned contact that it completes; null for other meetings."""
        return await info.context.get(touchpoints.Touchpoint, row.touchpoint_id)

    @resolver(list[MeetingAttendee])
    @staticmethod
    async def attendees(row: MeetingRow, info: Info) -> list[meetings.MeetingAttendee]:
        """People who are invited, in the order of invitation."""
        column = meetings.MeetingAttendee.meeting_id
        return await info.context.children(column, row.id, order=(meetings.MeetingAttendee.id,))

    @resolver(list[RaidEntry])
    @staticmethod
    async def decisions(row: MeetingRow, info: Info) -> list[raid.RaidEntry]:
        """Decisions of the meeting, as the RAID log has them."""
        column = raid.RaidEntry.meeting_id
        return await info.context.children(column, row.id, order=(raid.RaidEntry.id,))

    @resolver(list[Commitment])
    @staticmethod
    async def action_items(row: MeetingRow, info: Info) -> list[commitments.Commitment]:
        """Commitments that were made in the meeting, by due time."""
        order = (commitments.Commitment.due_at, commitments.Commitment.id)
        found: list[commitments.Commitment] = await info.context.children(
            commitments.Commitment.meeting_id, row.id, order=order
        )
        return [each for each in found if each.kind is CommitmentKind.ACTION_ITEM]


@query_fields
class MeetingQuery:
    """Queries of meetings."""

    @lists(Meeting, meetings.Meeting.starts_at, meetings.Meeting.id)
    @staticmethod
    def meetings(
        info: Info,
        account_id: AccountFilter = None,
        begins_after: Annotated[
            datetime | None, "Only meetings that begin at this time or later."
        ] = None,
        begins_before: Annotated[
            datetime | None, "Only meetings that begin earlier than this time."
        ] = None,
    ) -> Rows:
        """Meetings with clients, by beginning."""
        row = meetings.Meeting
        query = visible(info, row, account_id)
        if begins_after is not None:
            query = query.where(row.starts_at >= begins_after)
        return query if begins_before is None else query.where(row.starts_at < begins_before)


@subscription_fields
class MeetingSubscription:
    """Subscriptions about meetings."""

    @subscription(FeedEvent)
    def meeting_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Meetings as they are planned, answered, changed, held and summarised."""
        return facts_named(info, account_id, after, "meeting.")
