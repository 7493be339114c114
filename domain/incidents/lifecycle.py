"""What every change of a ticket begins and ends with: the locked row, the fact, the judged promises."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.access import Actor, Right, workable_by
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import Fact, record
from domain.incidents import events
from domain.incidents.model import OPEN, Incident, Status


async def load_for_update(
    session: AsyncSession,
    actor: Actor,
    incident_id: UUID,
    at: datetime,
    expected_version: int | None,
    *,
    right: Right = Right.HANDLE,
) -> Incident:
    """The ticket, locked: facts of one ticket enter the ledger one after the other."""
    actor.must(right)
    incident = await session.scalar(
        select(Incident)
        .where(Incident.id == incident_id, workable_by(actor, Incident))
        .with_for_update(key_share=True)
    )
    if incident is None:
        raise Refused(Code.NOT_FOUND, "No such ticket.", argument="id")
    must_be_current(incident.version, expected_version)
    if at < incident.opened_at:
        raise Refused(Code.TIME_REVERSED, "That is before the ticket was opened.")
    return incident


def must_be_open(incident: Incident) -> None:
    """Refuse what only an open ticket allows."""
    if incident.status not in OPEN:
        raise Refused(Code.INCIDENT_NOT_OPEN, f"The ticket is {incident.status}.", argument="id")


def acknowledge_row(session: AsyncSession, actor: Actor, incident: Incident, at: datetime) -> None:
    """A ticket is taken up: its first-response clock stops at `at`."""
    incident.status, incident.acknowledged_at = Status.ACKNOWLEDGED, at
    record_event(session, actor, incident, events.Acknowledged, at)


def record_event(
    session: AsyncSession,
    actor: Actor,
    incident: Incident,
    kind: type[Fact],
    at: datetime,
    **body: object,
) -> None:
    """Record a fact about a ticket."""
    record(
        session,
        actor,
        kind(account_id=incident.account_id, subject_id=incident.id, at=at, **body),
    )


async def evaluated(
    session: AsyncSession, actor: Actor, incident: Incident, at: datetime
) -> Incident:
    """The ticket, with its promises judged at `at`."""
    await session.flush()
    await promises.evaluate(session, actor, incident.id, at=at)
    return incident
