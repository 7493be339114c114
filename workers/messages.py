"""Consequences for people: the client's contacts are written to, and the letters are sent."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import messages
from domain.accounts.model import Site, Tenant
from domain.agreements.model import PromiseKind
from domain.compensation.model import Credit
from domain.db import transaction
from domain.incidents.model import Incident
from domain.sla.model import Promise
from workers.jobs import Hand
from workers.letters import letter_of
from workers.senders import Undeliverable


async def tell_opened(hand: Hand) -> None:
    """Tell the contacts that a ticket was opened and by when they hear from us."""
    incident = await _incident(hand, hand.fact.subject_id)
    respond_by = await hand.session.scalar(
        select(Promise.due_at)
        .where(
            Promise.incident_id == incident.id,
            Promise.kind == PromiseKind.FIRST_RESPONSE,
            Promise.internal.is_(False),
        )
        .order_by(Promise.due_at)
        .limit(1)
    )
    told = {"ticket_kind": incident.kind, "priority": incident.priority, "respond_by": respond_by}
    await _compose(hand, incident, messages.IncidentOpened, f"incident:{incident.id}:opened", told)


async def tell_resolved(hand: Hand) -> None:
    """Tell the contacts that a ticket was resolved; again when it was reopened and resolved again."""
    incident = await _incident(hand, hand.fact.subject_id)
    told = {"ticket_kind": incident.kind, "resolved_at": hand.fact.at}
    intent = f"incident:{incident.id}:resolved:{hand.fact.seq}"
    await _compose(hand, incident, messages.IncidentResolved, intent, told)


async def tell_credit(hand: Hand) -> None:
    """Tell the contacts what went wrong and what they get back."""
    credit = await hand.session.get_one(Credit, hand.fact.subject_id)
    promise = await hand.session.get_one(Promise, credit.promise_id)
    incident = await _incident(hand, credit.incident_id)
    told = {
        "promise_kind": promise.kind,
        "due_at": promise.due_at,
        "acknowledged_at": incident.acknowledged_at,
        "arrived_at": incident.arrived_at,
        "resolved_at": incident.resolved_at,
        "amount_cents": credit.amount_cents,
        "currency": credit.currency,
    }
    await _compose(hand, incident, messages.CreditNotice, f"credit:{credit.id}", told)


async def send_message(hand: Hand) -> None:
    """Send one letter. Its state is committed before the mail server is spoken to, and after.

    An address that is refused for good is the message's end; anything else is tried again by the outbox, and is the
    message's end only when the outbox gives up.
    """
    message_id = hand.fact.subject_id
    async with transaction(hand.make) as session:
        message = await messages.take(session, hand.actor, message_id)
    if message is None:
        return
    tenant = await hand.session.get_one(Tenant, hand.fact.tenant_id)
    try:
        letter = letter_of(message, company=tenant.name, sent_from=hand.sent_from)
        await hand.sender.send(letter)
    except (Undeliverable, ValueError) as refused:
        await messages.mark_failed(
            hand.session, hand.actor, message_id, at=hand.at, error=str(refused)
        )
        return
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        async with transaction(hand.make) as session:
            if hand.is_last:
                await messages.mark_failed(session, hand.actor, message_id, at=hand.at, error=said)
            else:
                await messages.put_back(session, hand.actor, message_id, error=said)
        raise
    await messages.mark_sent(hand.session, hand.actor, message_id, at=hand.at)


async def _incident(hand: Hand, incident_id: UUID) -> Incident:
    return await hand.session.get_one(Incident, incident_id)


async def _compose(
    hand: Hand,
    incident: Incident,
    kind: type[messages.Variables],
    intent: str,
    told: dict[str, Any],
) -> None:
    """Add what every notice about a ticket says, and write it to each contact."""
    tenant = await hand.session.get_one(Tenant, incident.tenant_id)
    site = await hand.session.get_one(Site, incident.site_id)
    shared = {
        "company": tenant.name,
        "site": site.name,
        "summary": incident.summary,
        "reference": incident.external_id or incident.id.hex[-8:].upper(),
        "opened_at": incident.opened_at,
    }
    await messages.compose(
        hand.session,
        hand.actor,
        incident.account_id,
        intent=intent,
        template=kind.template,
        variables=shared | told,
        at=hand.at,
    )
