"""Who is invited to a meeting: contacts of the client and users of the company, and what they answer."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Contact, User
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.mailboxes import mailbox
from domain.meetings import events
from domain.meetings.invitation import CalendarAnswer, Guest
from domain.meetings.model import AttendeeResponse, Meeting, MeetingAttendee, MeetingState

MOST = 50
"""Maximum number of people invited to a meeting."""


async def invite(
    tx: Tx,
    meeting_id: UUID,
    *,
    contact_ids: Collection[UUID] = (),
    user_ids: Collection[UUID] = (),
    expected_version: int | None = None,
) -> Meeting:
    """Invite further people to a planned meeting; those invited already are refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    meeting = await tx.get(Meeting, meeting_id, "meeting", lock=True)
    await must_be_invitable(tx, meeting.account_id, contact_ids, user_ids)
    must_be_planned(meeting, expected_version)
    known = await attendees_of(tx, meeting.id)
    again = {each.contact_id or each.user_id for each in known} & {*contact_ids, *user_ids}
    if again:
        argument = "contactIds" if again & {*contact_ids} else "userIds"
        raise Refused(Code.ALREADY_DONE, "Somebody of these is invited already.", argument=argument)
    if not contact_ids and not user_ids:
        raise Refused(Code.INVALID, "Name at least one person.", argument="contactIds")
    await add_attendees(tx, meeting, contact_ids, user_ids, already=len(known))
    tx.record(
        events.MeetingInvited(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            contact_ids=sorted(set(contact_ids)),
            user_ids=sorted(set(user_ids)),
        )
    )
    await tx.session.flush()
    return meeting


async def note_answer(tx: Tx, answer: CalendarAnswer) -> bool:
    """Record what a calendar answered; False when it is old, about an earlier version, or of somebody not invited."""
    meeting = await tx.session.get(
        Meeting, answer.meeting_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if meeting is None or meeting.tenant_id != tx.actor.tenant_id:
        return False
    if meeting.state is not MeetingState.PLANNED or answer.sequence < meeting.sequence:
        return False
    attendee = await _of_address(tx, meeting, answer.email)
    stamped_at = min(answer.stamped_at, tx.at)
    if attendee is None or answer.response is AttendeeResponse.AWAITED:
        return False
    if attendee.responded_at is not None and stamped_at < attendee.responded_at:
        return False
    if attendee.response is answer.response:
        return False
    tx.record(
        events.MeetingAnswered(
            account_id=meeting.account_id,
            subject_id=meeting.id,
            at=tx.at,
            contact_id=attendee.contact_id,
            user_id=attendee.user_id,
            before=attendee.response,
            after=answer.response,
        )
    )
    attendee.response, attendee.responded_at = answer.response, stamped_at
    await tx.session.flush()
    return True


async def planned(tx: Tx, meeting_id: UUID, expected_version: int | None) -> Meeting:
    """Lock a meeting that is still to come; refuse one that was held or cancelled."""
    meeting = await tx.get(Meeting, meeting_id, "meeting", lock=True)
    must_be_planned(meeting, expected_version)
    return meeting


def must_be_planned(meeting: Meeting, expected_version: int | None) -> None:
    """Refuse a meeting that changed since it was read, and one that was held or cancelled."""
    must_be_current(meeting.version, expected_version)
    if meeting.state is not MeetingState.PLANNED:
        raise Refused(Code.ALREADY_DONE, f"The meeting was {meeting.state}.", argument="id")


async def attendees_of(tx: Tx, meeting_id: UUID) -> Sequence[MeetingAttendee]:
    """Return everybody invited to a meeting, in the order of invitation."""
    query = select(MeetingAttendee).where(MeetingAttendee.meeting_id == meeting_id)
    return (await tx.session.scalars(query.order_by(MeetingAttendee.id))).all()


async def guests_of(tx: Tx, meeting_id: UUID) -> list[Guest]:
    """Return those invited who have an address, with name and answer."""
    row = MeetingAttendee
    contacts = await tx.session.execute(
        select(row.id, Contact.name, Contact.email, row.response)
        .join(Contact, Contact.id == row.contact_id)
        .where(row.meeting_id == meeting_id, Contact.email.is_not(None))
    )
    users = await tx.session.execute(
        select(row.id, User.name, User.email, row.response)
        .join(User, User.id == row.user_id)
        .where(row.meeting_id == meeting_id)
    )
    found = sorted([*contacts, *users])
    return [Guest(name, email, response) for _, name, email, response in found if email]


async def must_be_invitable(
    tx: Tx, account_id: UUID, contact_ids: Collection[UUID], user_ids: Collection[UUID]
) -> None:
    """Refuse contacts of other clients or without an address, and users without access to the account."""
    for contact_id in sorted(set(contact_ids)):
        own = (Contact.account_id == account_id) & tx.actor.scope(Contact)
        contact = await tx.get(
            Contact, contact_id, "contact of this client", argument="contactIds", among=own
        )
        if contact.email is None:
            raise Refused(
                Code.INVALID,
                "A contact without an e-mail address cannot be invited.",
                argument="contactIds",
            )
    for user_id in sorted(set(user_ids)):
        await commitments.must_be_colleague(tx, user_id, account_id, argument="userIds")


async def add_attendees(
    tx: Tx,
    meeting: Meeting,
    contact_ids: Collection[UUID],
    user_ids: Collection[UUID],
    *,
    already: int = 0,
) -> None:
    """Add people to a meeting, up to its limit."""
    if already + len({*contact_ids, *user_ids}) > MOST:
        raise Refused(
            Code.TOO_MANY, f"A meeting has at most {MOST} attendees.", argument="contactIds"
        )
    tx.session.add_all(_attendee(meeting, contact_id=each) for each in sorted(set(contact_ids)))
    tx.session.add_all(_attendee(meeting, user_id=each) for each in sorted(set(user_ids)))
    await tx.session.flush()


def _attendee(
    meeting: Meeting, *, contact_id: UUID | None = None, user_id: UUID | None = None
) -> MeetingAttendee:
    is_organiser = user_id is not None and user_id == meeting.organiser_id
    return MeetingAttendee(
        id=uuid7(),
        tenant_id=meeting.tenant_id,
        account_id=meeting.account_id,
        meeting_id=meeting.id,
        contact_id=contact_id,
        user_id=user_id,
        response=AttendeeResponse.ACCEPTED if is_organiser else AttendeeResponse.AWAITED,
    )


async def _of_address(tx: Tx, meeting: Meeting, email: str) -> MeetingAttendee | None:
    """Return whoever was invited at an address; of several people with one mailbox, the first."""
    row = MeetingAttendee
    invited = await tx.session.execute(
        select(row, Contact.email, User.email)
        .outerjoin(Contact, Contact.id == row.contact_id)
        .outerjoin(User, User.id == row.user_id)
        .where(row.meeting_id == meeting.id)
        .order_by(row.id)
    )
    wanted = mailbox(email)
    return next(
        (
            attendee
            for attendee, *addresses in invited
            if any(each is not None and mailbox(each) == wanted for each in addresses)
        ),
        None,
    )
