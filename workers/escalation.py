"""Escalation jobs: follow incidents, take due steps, warn the users responsible for the client."""

from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain import escalation, incidents
from domain.access import Tx
from domain.core.db import Sessions
from domain.core.deferral import Subject
from domain.escalation import defer, due
from workers.jobs import JobContext
from workers.periodic import Postponement, WorkContext, attempt, attempt_batch

log = structlog.get_logger()

# until an incident that cannot be escalated is retried; doubled each time
PUT_OFF = timedelta(minutes=10)


async def follow_ticket(context: JobContext) -> None:
    """Update an incident's escalation after a fact, from its current state, so that a repeat changes nothing."""
    if context.fact.kind == "incident.opened":
        await _tell_client_first(context)
    await escalation.follow(Tx(context.session, context.actor, context.at), context.fact.subject_id)


async def _tell_client_first(context: JobContext) -> None:
    """Write the client's notice before users are notified; a failure does not stop the escalation."""
    try:
        async with context.session.begin_nested():
            await incidents.tell_opened(context.tx, context.fact)
    except Exception as error:  # noqa: BLE001 - its own job retries it
        log.warning("notice.not_first", incident=str(context.fact.subject_id), error=repr(error))


async def sweep_escalations(work: WorkContext, limit: int) -> int:
    """Take the escalation steps that are due; several workers may run this at once."""
    return await step_all(work.make, datetime.now(UTC), limit)


async def step_all(make: Sessions, at: datetime, limit: int) -> int:
    """Take the due steps in one transaction; when that fails, incident by incident, deferring the one that fails."""

    async def step(session: AsyncSession) -> int:
        return await escalation.sweep(session, at=at, limit=limit)

    taken = await attempt_batch(make, "escalations", step, at=at, limit=limit)
    if taken is not None:
        return taken
    async with make() as session:
        incidents = await due(session, at=at, limit=limit)
    for incident in incidents:
        await _step(make, incident, at)
    return len(incidents)


async def _step(make: Sessions, incident: Subject, at: datetime) -> None:
    async def step(session: AsyncSession) -> None:
        await escalation.sweep(session, at=at, only=incident.id)

    async def postpone(session: AsyncSession, until: datetime) -> None:
        await defer(session, incident.id, until=until)

    await attempt(make, "escalations", incident, step, postponement=Postponement(PUT_OFF, postpone))
