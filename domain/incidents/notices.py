"""Notices to a client's contacts about incidents."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import messages, promises
from domain.access import Tx
from domain.accounts.model import Site, Tenant
from domain.agreements.model import Priority, PromiseKind
from domain.core.sequencing import SequencedEvent
from domain.incidents.model import Incident, IncidentUpdate
from domain.promises.model import Promise, State

_OPENED = (messages.IncidentOpened, messages.CriticalOpened)
_UPDATED = (messages.IncidentUpdated, messages.CriticalUpdated)
_RESOLVED = (messages.IncidentResolved, messages.CriticalResolved)


def _is_critical(incident: Incident) -> bool:
    """Return whether notices about an incident ignore quiet hours."""
    return incident.priority is Priority.CRITICAL


async def hurry_notices(tx: Tx, fact: SequencedEvent) -> None:
    """Expedite notices that wait for the end of quiet hours when their incident has become critical."""
    if fact.body["priority"] == Priority.CRITICAL:
        await messages.expedite(
            tx.session,
            f"incident:{fact.subject_id}:",
            fact.account_id,
            at=tx.at,
        )


async def tell_opened(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts that an incident was opened, and by when they receive the first response."""
    incident = await _incident(tx, fact.subject_id)
    respond_by = await _due(tx, incident, PromiseKind.FIRST_RESPONSE)
    variables = {
        "ticket_kind": incident.kind,
        "priority": incident.priority,
        "respond_by": respond_by,
    }
    await compose_about(
        tx,
        incident,
        _OPENED[_is_critical(incident)],
        f"incident:{incident.id}:opened",
        variables,
    )


async def tell_updated(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts of an update that is visible to the client and written by the company."""
    update = await tx.session.get_one(IncidentUpdate, UUID(fact.body["update_id"]))
    if not update.client_visible or not fact.body["from_us"]:
        return
    incident = await _incident(tx, fact.subject_id)
    next_by = await _due(tx, incident, PromiseKind.NEXT_UPDATE)
    variables = {"news": update.body, "updated_at": update.at, "next_update_by": next_by}
    intent = f"incident:{incident.id}:update:{update.id}"
    await compose_about(tx, incident, _UPDATED[_is_critical(incident)], intent, variables)


async def tell_resolved(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the contacts that an incident was resolved; again when it was reopened and resolved again."""
    incident = await _incident(tx, fact.subject_id)
    variables = {"ticket_kind": incident.kind, "resolved_at": fact.at}
    intent = f"incident:{incident.id}:resolved:{fact.seq}"
    await compose_about(tx, incident, _RESOLVED[_is_critical(incident)], intent, variables)


async def _incident(tx: Tx, incident_id: UUID) -> Incident:
    return await tx.session.get_one(Incident, incident_id)


async def _due(tx: Tx, incident: Incident, kind: PromiseKind) -> datetime | None:
    """Return the deadline of the incident's next running promise of a kind; None when there is none."""
    promise = await tx.session.scalar(
        select(Promise)
        .where(
            Promise.unit_id == incident.id,
            Promise.kind == kind,
            Promise.internal.is_(False),
            Promise.state.in_([State.RUNNING, State.AT_RISK]),
        )
        .order_by(Promise.due_at)
        .limit(1)
    )
    return None if promise is None else await promises.announced_due_of(tx.session, promise)


async def compose_about(
    tx: Tx,
    incident: Incident,
    kind: type[messages.Variables],
    intent: str,
    variables: dict[str, Any],
    *,
    contacts: Collection[UUID] | None = None,
) -> None:
    """Write a notice about an incident to all or some contacts, with the variables that such notices share."""
    tenant = await tx.session.get_one(Tenant, incident.tenant_id)
    site = await tx.session.get_one(Site, incident.site_id)
    shared = {
        "company": tenant.name,
        "site": site.name,
        "summary": incident.summary,
        "reference": incident.reference,
        "opened_at": incident.opened_at,
    }
    await messages.compose(
        tx,
        incident.account_id,
        intent=intent,
        template=kind,
        variables=shared | variables,
        contacts=contacts,
    )
