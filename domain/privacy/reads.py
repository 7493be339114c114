"""Export of everything about a person, as one JSON document."""

from uuid import UUID

import msgspec
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, managed_users
from domain.access.visibility import visible_to
from domain.accounts.model import Contact, Reach, User
from domain.core.base import JSON, Base
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.credentials.model import Device, SignIn
from domain.duties import Doer, names_of
from domain.duties.model import Duty
from domain.files import File
from domain.guards import personal_profile
from domain.messages.model import Message
from domain.positions.model import Fix
from domain.privacy.mentions import mentions
from domain.privacy.rules import Person
from domain.replacements.model import Replacement, ShiftOffer
from domain.shifts import Shift
from domain.surveys import SurveyAnswer, responses_of

FACTS = 5_000
"""Maximum number of facts and messages in an export, newest first; the ledger has more, page by page."""


CAMERA_DATA = {"taken_at", "taken_lat", "taken_lon", "camera"}


async def locked_person(
    session: AsyncSession, actor: Actor, person: Person, person_id: UUID
) -> Contact | User:
    """Lock the row of a person; refused without the right for such people, or without access to this one."""
    actor.must(Right.MANAGE_ACCOUNTS if person is Person.CONTACT else Right.MANAGE_ACCESS)
    row: Contact | User | None
    if person is Person.CONTACT:
        query = select(Contact).where(Contact.id == person_id, actor.scope(Contact))
        row = await session.scalar(query.with_for_update())
    else:
        users = select(User).where(User.id == person_id, managed_users(actor, User))
        row = await session.scalar(users.with_for_update())
    if row is None:
        raise Refused(Code.NOT_FOUND, f"No such {person}.", argument=f"{person}Id")
    return row


async def personal_data(session: AsyncSession, actor: Actor, row: Contact | User) -> JSON:
    """Return everything about a person that the actor may read: the row, messages, facts, and texts with the name."""
    export: JSON = {"person": _person(row), "row": _plain(row)}
    if isinstance(row, User):
        export |= await _of_user(session, actor, row)
    own = Message.contact_id if isinstance(row, Contact) else Message.user_id
    messages = select(Message).where(own == row.id, visible_to(actor, Message))
    if isinstance(row, Contact):
        answers = select(SurveyAnswer).where(
            SurveyAnswer.response_id.in_(responses_of(row.id)), visible_to(actor, SurveyAnswer)
        )
        given = await session.scalars(answers.order_by(SurveyAnswer.id).limit(FACTS))
        export["survey_answers"] = [_plain(each) for each in given]
    newest = await session.scalars(messages.order_by(Message.queued_at.desc()).limit(FACTS))
    export["messages"] = [_plain(each) for each in reversed(newest.all())]
    about = [LedgerRow.subject_id == row.id]
    if isinstance(row, Contact):
        about.append(LedgerRow.body["contact_id"].as_string() == str(row.id))
    else:
        about.append(LedgerRow.actor == f"user:{row.id}")
    facts = select(LedgerRow).where(visible_to(actor, LedgerRow), or_(*about))
    entries = (await session.scalars(facts.order_by(LedgerRow.id.desc()).limit(FACTS))).all()
    doers = {Doer(entry.account_id, entry.actor) for entry in entries}
    names = await names_of(session, actor, doers)
    export["facts"] = [
        {
            "kind": entry.kind,
            "at": entry.at,
            "subject": entry.subject_id,
            "actor": names[Doer(entry.account_id, entry.actor)],
            "body": entry.body,
        }
        for entry in reversed(entries)
    ]
    export["facts_complete"] = len(entries) < FACTS
    named = await mentions(session, actor, row)
    export["named_in"] = [each._asdict() for each in named.found]
    export["named_in_complete"] = named.complete
    plain: JSON = msgspec.to_builtins(export)
    return plain


async def _of_user(session: AsyncSession, actor: Actor, row: User) -> JSON:
    """Return what exists for users only: access, devices, fixes, duties and sign-ins."""
    reach = select(Reach.account_id).where(Reach.user_id == row.id)
    devices = select(Device.name, Device.enrolled_at, Device.revoked_at)
    mine = and_(Device.user_id == row.id, visible_to(actor, Device))
    fixes = select(func.count(), func.min(Fix.at), func.max(Fix.at))
    many, first_at, last_at = (
        await session.execute(fixes.where(Fix.device_id.in_(select(Device.id).where(mine))))
    ).one()
    duties = select(Duty.id, Duty.account_id, Duty.from_at, Duty.until_at)
    uploads = select(File).where(File.uploaded_by == f"user:{row.id}", visible_to(actor, File))
    newest = await session.scalars(uploads.order_by(File.id.desc()).limit(FACTS))
    sign_ins = select(SignIn.started_at).where(SignIn.user_id == row.id)
    return {
        "accounts": [str(each) for each in await session.scalars(reach)],
        "devices": [
            {"name": name, "enrolled_at": enrolled_at, "revoked_at": revoked_at}
            for name, enrolled_at, revoked_at in await session.execute(
                devices.where(mine).order_by(Device.enrolled_at)
            )
        ],
        "fixes": {"many": many, "first_at": first_at, "last_at": last_at},
        "duties": [
            {"id": id_, "account_id": account_id, "from_at": from_at, "until_at": until_at}
            for id_, account_id, from_at, until_at in await session.execute(
                duties.where(Duty.user_id == row.id, visible_to(actor, Duty)).order_by(Duty.from_at)
            )
        ],
        "shifts": [
            {"id": id_, "account_id": account_id, "from_at": from_at, "until_at": until_at}
            for id_, account_id, from_at, until_at in await session.execute(
                select(Shift.id, Shift.account_id, Shift.from_at, Shift.until_at)
                .where(Shift.user_id == row.id, visible_to(actor, Shift))
                .order_by(Shift.from_at)
            )
        ],
        "absences": [
            {"id": id_, "account_id": account_id, "known_at": known_at}
            for id_, account_id, known_at in await session.execute(
                select(Replacement.id, Replacement.account_id, Replacement.known_at)
                .where(Replacement.user_id == row.id, visible_to(actor, Replacement))
                .order_by(Replacement.known_at)
            )
        ],
        "shift_offers": [
            {"id": id_, "account_id": account_id, "offered_at": offered_at, "state": state}
            for id_, account_id, offered_at, state in await session.execute(
                select(
                    *(ShiftOffer.id, ShiftOffer.account_id),
                    *(ShiftOffer.offered_at, ShiftOffer.state),
                )
                .where(ShiftOffer.user_id == row.id, visible_to(actor, ShiftOffer))
                .order_by(ShiftOffer.offered_at)
            )
        ],
        "files": [_upload(actor, each) for each in reversed(newest.all())],
        "sign_ins": list(await session.scalars(sign_ins.order_by(SignIn.started_at))),
        **await personal_profile(session, row.id),
    }


def _upload(actor: Actor, row: File) -> JSON:
    """Return an uploaded file, with what the camera wrote only for those who may read that."""
    hidden = set() if actor.may(Right.READ_EVIDENCE) else CAMERA_DATA
    return {key: value for key, value in _plain(row).items() if key not in hidden}


def _person(row: Contact | User) -> Person:
    return Person.CONTACT if isinstance(row, Contact) else Person.USER


def _plain(row: Base) -> JSON:
    plain: JSON = msgspec.to_builtins(
        {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
    )
    return plain
