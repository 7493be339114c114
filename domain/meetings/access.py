"""Access rules of meetings: clients see theirs, but neither the notes nor who of the company comes."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={
        "meeting": Rows((Right.READ_QUALITY,)),
        "meeting_attendee": Rows((Right.READ_QUALITY,)),
    },
    fields={
        "Meeting": {
            None: "id title place timeZone startsAt endsAt wholeDay state agenda agendaSentAt heldAt"
            " openQuestions nextMeetingOn summarySentAt cancelledAt sequence version account"
            " attendees decisions actionItems",
            Right.READ_INTERNAL: "notes cancelReason cancelledByClient",
            Right.READ_STAFF: "organiser",
            Right.READ_RELATIONSHIP: "touchpoint",
        },
        "MeetingAttendee": {
            None: "id response respondedAt attended",
            Right.READ_CONTACTS: "contact",
            Right.READ_STAFF: "user",
        },
    },
    facts={
        Right.READ_QUALITY: "meeting.planned meeting.rescheduled meeting.invited meeting.answered"
        " meeting.agenda_sent meeting.held meeting.summarised meeting.cancelled"
    },
    queries={"meetings": ()},
    subscriptions={"meetingEvents": (Right.READ_LEDGER, Right.READ_QUALITY)},
    mutations={
        Right.MANAGE_ACCOUNTS: "planMeeting rescheduleMeeting inviteToMeeting sendMeetingAgenda"
        " recordMeeting summariseMeeting cancelMeeting"
    },
)
