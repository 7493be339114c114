"""Everything that is known about a person, as one JSON."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from domain.accounts.model import Contact, Reach, User
from domain.actor import Actor, Right
from domain.base import JSON, Base
from domain.compensation.model import Credit, Dispute
from domain.credentials.model import Device, SignIn
from domain.disclosure import Disclosure
from domain.duties.model import Duty
from domain.errors import Code, Refused
from domain.incidents.model import Incident, IncidentUpdate, Pause
from domain.ledger import Entry
from domain.messages.model import Message
from domain.positions.model import Fix
from domain.privacy.rules import Person, pattern
from domain.recovery.model import RecoveryCase, RecoveryStep

TEXTS: tuple[InstrumentedAttribute[Any], ...] = (
    Incident.summary,
    Incident.reporter,
    IncidentUpdate.body,
    Pause.note,
    Credit.decision_reason,
    Dispute.reason,
    Dispute.outcome,
    RecoveryCase.summary,
    RecoveryStep.note,
)
"""Free text outside the ledger in which people may be named."""


async def found(
    session: AsyncSession, actor: Actor, person: Person, person_id: UUID
) -> Contact | User:
    """The row of a person, locked; refused to who does not look after such people, or does not reach this one."""
    actor.must(Right.MANAGE_ACCOUNTS if person is Person.CONTACT else Right.MANAGE_ACCESS)
    row: Contact | User | None
    if person is Person.CONTACT:
        query = select(Contact).where(Contact.id == person_id, actor.fence(Contact))
        row = await session.scalar(query.with_for_update())
    else:
        users = select(User).where(User.id == person_id, User.tenant_id == actor.tenant_id)
        if actor.accounts is not None:
            inside = select(Reach.user_id).where(Reach.account_id.in_(actor.accounts))
            outside = select(Reach.user_id).where(Reach.account_id.not_in(actor.accounts))
            users = users.where(User.id.in_(inside), User.id.not_in(outside))
        row = await session.scalar(users.with_for_update())
    if row is None:
        raise Refused(Code.NOT_FOUND, f"No such {person}.", argument=f"{person}Id")
    return row


def names_of(row: Contact | User) -> list[str | None]:
    """What a person is called in texts."""
    return [row.name, row.email, row.phone if isinstance(row, Contact) else None]


async def everything(session: AsyncSession, actor: Actor, row: Contact | User) -> JSON:
    """A person's own row, messages, facts about and by the person, and where others' words name the person."""
    person = Person.CONTACT if isinstance(row, Contact) else Person.USER
    told: JSON = {"person": person, "row": _plain(row)}
    facts = [Entry.subject_id == row.id]
    if isinstance(row, Contact):
        facts.append(Entry.body["contact_id"].as_string() == str(row.id))
        messages = select(Message).where(Message.contact_id == row.id).order_by(Message.queued_at)
        told["messages"] = [_plain(each) for each in await session.scalars(messages)]
    else:
        facts.append(Entry.actor == f"user:{row.id}")
        reach = select(Reach.account_id).where(Reach.user_id == row.id)
        told["accounts"] = [str(each) for each in await session.scalars(reach)]
        devices = select(Device.name, Device.enrolled_at, Device.revoked_at)
        told["devices"] = [
            {"name": name, "enrolled_at": enrolled_at, "revoked_at": revoked_at}
            for name, enrolled_at, revoked_at in await session.execute(
                devices.where(Device.user_id == row.id).order_by(Device.enrolled_at)
            )
        ]
        fixes = select(func.count(), func.min(Fix.at), func.max(Fix.at))
        mine = select(Device.id).where(Device.user_id == row.id)
        many, first_at, last_at = (
            await session.execute(fixes.where(Fix.device_id.in_(mine)))
        ).one()
        told["fixes"] = {"many": many, "first_at": first_at, "last_at": last_at}
        duties = select(Duty.id, Duty.account_id, Duty.from_at, Duty.until_at)
        told["duties"] = [
            {"id": id_, "account_id": account_id, "from_at": from_at, "until_at": until_at}
            for id_, account_id, from_at, until_at in await session.execute(
                duties.where(Duty.user_id == row.id).order_by(Duty.from_at)
            )
        ]
        sign_ins = select(SignIn.started_at).where(SignIn.user_id == row.id)
        told["sign_ins"] = list(await session.scalars(sign_ins.order_by(SignIn.started_at)))
    entries = await session.scalars(
        select(Entry).where(actor.fence(Entry), or_(*facts)).order_by(Entry.id)
    )
    told["facts"] = [
        {
            "kind": entry.kind,
            "at": entry.at,
            "subject": entry.subject_id,
            "actor": entry.actor,
            "body": entry.body,
        }
        for entry in entries
    ]
    told["named_in"] = await _named_in(session, actor, row)
    plain: JSON = msgspec.to_builtins(told)
    return plain


async def _named_in(session: AsyncSession, actor: Actor, row: Contact | User) -> list[JSON]:
    wanted = pattern(names_of(row))
    if wanted is None:
        return []
    places: list[JSON] = []
    for text in (*TEXTS, Disclosure.words):
        model: Any = text.class_
        key = Disclosure.subject_id if model is Disclosure else model.id
        where: list[ColumnElement[bool]] = [actor.fence(model), text.regexp_match(wanted, "i")]
        if isinstance(row, Contact):
            where.append(model.account_id == row.account_id)
        rows = await session.execute(select(key, text).where(*where).order_by(key))
        places += [
            {"where": f"{model.__tablename__}.{text.key}", "id": str(own), "text": words}
            for own, words in rows
        ]
    return places


def _plain(row: Base) -> JSON:
    plain: JSON = msgspec.to_builtins(
        {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
    )
    return plain
