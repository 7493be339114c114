"""Steps that every change of an incident shares: lock the row, record the fact, evaluate the promises."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.access import Right, Tx, workable_by
from domain.accounts.model import User
from domain.core.erasable_text import ErasableText
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import Fact, LedgerRow
from domain.incidents import events
from domain.incidents.model import OPEN, Incident, Status


async def load_for_update(
    tx: Tx, incident_id: UUID, expected_version: int | None, *, right: Right = Right.HANDLE
) -> Incident:
    """Lock an incident, so that its facts enter the ledger one after the other."""
    tx.actor.must(right)
    incident = await tx.get(
        Incident, incident_id, "incident", lock=True, among=workable_by(tx.actor, Incident)
    )
    must_be_current(incident.version, expected_version)
    if tx.at < incident.opened_at:
        raise Refused(Code.TIME_REVERSED, "That is before the incident was opened.")
    return incident


def must_be_open(incident: Incident) -> None:
    """Refuse an action that needs an open incident."""
    if incident.status not in OPEN:
        raise Refused(Code.INCIDENT_NOT_OPEN, f"The incident is {incident.status}.", argument="id")


def acknowledge_row(tx: Tx, incident: Incident) -> None:
    """Mark an incident as acknowledged; its first-response clock stops at `tx.at`."""
    incident.status, incident.acknowledged_at = Status.ACKNOWLEDGED, tx.at
    record_event(tx, incident, events.Acknowledged)


def record_event(tx: Tx, incident: Incident, kind: type[Fact], **body: object) -> None:
    """Record a fact about an incident."""
    tx.record(kind(account_id=incident.account_id, subject_id=incident.id, at=tx.at, **body))


async def assigned_to(session: AsyncSession, incident: Incident) -> str | None:
    """Return the name that the last assignment of an incident gave; None for nobody, or when it was erased."""
    last = await session.scalar(
        select(LedgerRow)
        .where(
            LedgerRow.subject_id == incident.id,
            LedgerRow.kind.in_((events.Assigned.kind, events.Reassigned.kind)),
        )
        .order_by(LedgerRow.id.desc())
        .limit(1)
    )
    if last is None:
        return None
    if last.kind == events.Reassigned.kind:
        query = select(ErasableText.words).where(ErasableText.commitment == last.body["to"])
    elif last.body["after"] is None:
        return None
    else:
        query = select(User.name).where(User.id == UUID(last.body["after"]))
    name: str | None = await session.scalar(query)
    return name


async def evaluated(tx: Tx, incident: Incident) -> Incident:
    """Evaluate the promises of an incident at `tx.at` and return the incident."""
    await tx.session.flush()
    await promises.evaluate(tx.session, tx.actor, incident.id, at=tx.at)
    return incident
