"""Meetings with clients: invitations by mail, what calendars answer, agenda, minutes and summary."""

from domain.meetings.actions import MeetingDraft, cancel, plan, reschedule, send_agenda
from domain.meetings.invitation import (
    MEDIA_TYPE,
    CalendarAnswer,
    addressed,
    answer_in,
    invitation_of,
)
from domain.meetings.letters import send_invitations, send_meeting_agenda, send_meeting_summary
from domain.meetings.minutes import ActionDraft, DecisionDraft, record, summarise
from domain.meetings.model import AttendeeResponse, Meeting, MeetingAttendee, MeetingState
from domain.meetings.people import invite, note_answer

__all__ = [
    "MEDIA_TYPE",
    "ActionDraft",
    "AttendeeResponse",
    "CalendarAnswer",
    "DecisionDraft",
    "Meeting",
    "MeetingAttendee",
    "MeetingDraft",
    "MeetingState",
    "addressed",
    "answer_in",
    "cancel",
    "invitation_of",
    "invite",
    "note_answer",
    "plan",
    "record",
    "reschedule",
    "send_agenda",
    "send_invitations",
    "send_meeting_agenda",
    "send_meeting_summary",
    "summarise",
]
