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
from domain.incidents.model import Incident, IncidentUpdate
from domain.promises.model import Promise, State
from workers.jobs import JobContext

_OPENED = (messages.IncidentOpened, messages.CriticalOpened)
_UPDATED = (messages.IncidentUpdated, messages.CriticalUpdated)
_RESOLVED = (messages.IncidentResolved, messages.CriticalResolved)


def _is_critical(incident: Incident) -> bool:
    """Return whether notices about an incident ignore quiet hours."""
    return incident.priority is Priority.CRITICAL


async def hurry_notices(context: JobContext) -> None:
    """Expedite notices that wait for the end of quiet hours when their incident has become critical."""
    if context.fact.body["priority"] == Priority.CRITICAL:
        await messages.expedite(
            context.session,
            f"incident:{context.fact.subject_id}:",
            context.fact.account_id,
            at=context.at,
        )


async def tell_opened(context: JobContext) -> None:
    """Notify the contacts that an incident was opened, and by when they receive the first response."""
    incident = await _incident(context, context.fact.subject_id)
    respond_by = await _due(context, incident, PromiseKind.FIRST_RESPONSE)
    variables = {
        "ticket_kind": incident.kind,
        "priority": incident.priority,
        "respond_by": respond_by,
    }
    await compose_about(
        context,
        incident,
        _OPENED[_is_critical(incident)],
        f"incident:{incident.id}:opened",
        variables,
    )


async def tell_updated(context: JobContext) -> None:
    """Notify the contacts of an update that is visible to the client and written by the company."""
    update = await context.session.get_one(IncidentUpdate, UUID(context.fact.body["update_id"]))
    if not update.client_visible or not context.fact.body["from_us"]:
        return
    incident = await _incident(context, context.fact.subject_id)
    next_by = await _due(context, incident, PromiseKind.NEXT_UPDATE)
    variables = {"news": update.body, "updated_at": update.at, "next_update_by": next_by}
    intent = f"incident:{incident.id}:update:{update.id}"
    await compose_about(context, incident, _UPDATED[_is_critical(incident)], intent, variables)


async def tell_resolved(context: JobContext) -> None:
    """Notify the contacts that an incident was resolved; again when it was reopened and resolved again."""
    incident = await _incident(context, context.fact.subject_id)
    variables = {"ticket_kind": incident.kind, "resolved_at": context.fact.at}
    intent = f"incident:{incident.id}:resolved:{context.fact.seq}"
    await compose_about(context, incident, _RESOLVED[_is_critical(incident)], intent, variables)


async def _incident(context: JobContext, incident_id: UUID) -> Incident:
    return await context.session.get_one(Incident, incident_id)


async def _due(context: JobContext, incident: Incident, kind: PromiseKind) -> datetime | None:
    """Return the deadline of the incident's next running promise of a kind; None when there is none."""
    promise = await context.session.scalar(
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
    return None if promise is None else await promises.announced_due_of(context.session, promise)


async def compose_about(
    context: JobContext,
    incident: Incident,
    kind: type[messages.Variables],
    intent: str,
    variables: dict[str, Any],
    *,
    contacts: Collection[UUID] | None = None,
) -> None:
    """Write a notice about an incident to all or some contacts, with the variables that such notices share."""
    tenant = await context.session.get_one(Tenant, incident.tenant_id)
    site = await context.session.get_one(Site, incident.site_id)
    shared = {
        "company": tenant.name,
        "site": site.name,
        "summary": incident.summary,
        "reference": incident.reference,
        "opened_at": incident.opened_at,
    }
    await messages.compose(
        Tx(context.session, context.actor, context.at),
        incident.account_id,
        intent=intent,
        template=kind,
        variables=shared | variables,
        contacts=contacts,
    )
