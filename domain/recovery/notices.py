"""Recovery notices: the offer made to a client after a failure. The notes of the steps stay internal."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain import compensation, incidents, messages
from domain.access import Tx
from domain.accounts.model import Account, User
from domain.compensation.model import Credit
from domain.core.sequencing import SequencedEvent
from domain.incidents.model import Incident, IncidentUpdate
from domain.recovery.model import RecoveryCase, RecoveryStep, StepKind


async def tell_recovery(tx: Tx, fact: SequencedEvent) -> None:
    """Write the recovery notice of a round when its compensation step is done: cause, resolution and offer.

    A case about no incident has no notice: whoever follows it up speaks with the client.
    """
    if fact.body["step"] != StepKind.COMPENSATE:
        return
    case = await tx.session.get_one(RecoveryCase, fact.subject_id)
    if case.incident_id is None:
        return
    found = await tx.session.scalars(
        select(RecoveryStep).where(
            RecoveryStep.case_id == case.id, RecoveryStep.round == fact.body["round"]
        )
    )
    steps = {step.kind: step for step in found}
    offer, follow_up = steps[StepKind.COMPENSATE], steps[StepKind.FOLLOW_UP]
    incident = await tx.session.get_one(Incident, case.incident_id)
    account = await tx.session.get_one(Account, case.account_id)
    owner = await tx.session.get_one(User, follow_up.owner_id)
    variables = {
        "cause": case.summary,
        "done": await _resolution(tx, incident),
        "offers": list(offer.remedies),
        "amount_cents": await _granted_cents(tx, offer.credit_id),
        "currency": account.currency,
        "follow_up_on": follow_up.due_at.astimezone(ZoneInfo(account.time_zone)).date(),
        "signed_by": owner.name,
    }
    intent = f"recovery:{case.id}:{follow_up.round}"
    await incidents.compose_about(tx, incident, messages.Recovery, intent, variables)


async def _resolution(tx: Tx, incident: Incident) -> str | None:
    """Load the client-visible text of the incident's resolution; None while the incident is open."""
    body: str | None = await tx.session.scalar(
        select(IncidentUpdate.body)
        .where(
            IncidentUpdate.incident_id == incident.id,
            IncidentUpdate.client_visible,
            IncidentUpdate.at == incident.resolved_at,
        )
        .order_by(IncidentUpdate.id.desc())
        .limit(1)
    )
    return body


async def _granted_cents(tx: Tx, credit_id: UUID | None) -> int:
    """Return the granted amount of the service credit; 0 while it awaits approval."""
    if credit_id is None:
        return 0
    credit = await tx.session.get_one(Credit, credit_id)
    return await compensation.net_cents(tx.session, credit.id)
