"""Inquiries by mail: a contact's reply to a letter becomes an inquiry with its clock, or an update of an open one."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain import messages
from domain.access import Tx
from domain.accounts.model import Contact, Site
from domain.agreements.model import Priority, TicketKind
from domain.core.base import uuid7
from domain.core.text_rules import PAGE
from domain.incidents import events
from domain.incidents.lifecycle import record_event
from domain.incidents.model import OPEN, Incident, IncidentUpdate, Source
from domain.incidents.opening import open_incident
from domain.messages import Message, ReceivedReply

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class TakenReply:
    """What became of a reply: whether it was recorded now, and the inquiry that holds it."""

    is_new: bool
    incident_id: UUID | None


async def take_reply(tx: Tx, message_id: UUID, reply: ReceivedReply) -> TakenReply | None:
    """Record a reply to a letter once, and store a contact's as an inquiry; None when there is no such letter.

    What machines and colleagues answer is recorded only. A further reply to the letter, or to a letter about the
    inquiry, is added to the inquiry while it is open.
    """
    message = await messages.lock_answered(tx, message_id)
    if message is None:
        return None
    known = await messages.recorded_answer(tx, reply.once_key)
    if known is not None:
        return TakenReply(False, _inquiry_in(known.body))
    incident_id = None
    if not reply.automatic and message.contact_id is not None:
        incident_id = await _inquire(tx, message, reply)
    await messages.record_answer(tx, message, reply, incident_id=incident_id)
    return TakenReply(True, incident_id)


async def _inquire(tx: Tx, message: Message, reply: ReceivedReply) -> UUID | None:
    """Store a reply; None where the account has no site at which an inquiry could be."""
    incident = await _open_inquiry(tx, message)
    if incident is None:
        site_id = await _site_of(tx, message)
        if site_id is None:
            return None
        contact = await tx.session.get_one(Contact, message.contact_id)
        incident = await open_incident(
            tx,
            site_id=site_id,
            kind=TicketKind.INQUIRY,
            priority=Priority.MEDIUM,
            source=Source.CLIENT,
            reporter=contact.name,
            summary=reply.subject,
        )
    else:
        incident.client_contact_count += 1
    row = IncidentUpdate(
        id=uuid7(),
        tenant_id=incident.tenant_id,
        account_id=incident.account_id,
        incident_id=incident.id,
        at=tx.at,
        author=tx.actor.subject,
        body=f"{reply.sender}:\n\n{reply.words}"[:PAGE],
        client_visible=True,
        words_unread=True,
    )
    tx.session.add(row)
    record_event(tx, incident, events.Updated, update_id=row.id, client_visible=True, from_us=False)
    await tx.session.flush()
    return incident.id


async def _open_inquiry(tx: Tx, message: Message) -> Incident | None:
    """Lock the open inquiry of the thread: that of an earlier reply, or the one that the letter is about."""
    earlier = [_inquiry_in(fact.body) for fact in await messages.earlier_answers(tx, message.id)]
    named = [*(each for each in earlier if each is not None), *_ids_in(message.intent)]
    if not named:
        return None
    found: Incident | None = await tx.session.scalar(
        select(Incident)
        .where(
            Incident.id.in_(named),
            Incident.account_id == message.account_id,
            Incident.kind == TicketKind.INQUIRY,
            Incident.status.in_(OPEN),
        )
        .order_by(Incident.opened_at.desc(), Incident.id)
        .limit(1)
        .with_for_update()
    )
    return found


async def _site_of(tx: Tx, message: Message) -> UUID | None:
    """Return the site of the incident that the letter is about, else the account's first one."""
    own = Incident.account_id == message.account_id
    about = select(Incident.site_id).where(own, Incident.id.in_(_ids_in(message.intent)))
    first = select(Site.id).where(Site.account_id == message.account_id).order_by(Site.id).limit(1)
    return await tx.session.scalar(about.limit(1)) or await tx.session.scalar(first)


def _ids_in(intent: str) -> list[UUID]:
    return [UUID(each) for each in _ID.findall(intent)]


def _inquiry_in(body: dict[str, object]) -> UUID | None:
    found = body.get("incident_id")
    return UUID(str(found)) if found else None
