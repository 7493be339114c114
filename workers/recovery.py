"""Recovery notices: the offer made to a client after a failure. The notes of the steps stay internal."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain import compensation, messages
from domain.accounts.model import Account, User
from domain.compensation.model import Credit
from domain.incidents.model import Incident, IncidentUpdate
from domain.recovery import RecoveryCase, RecoveryStep, StepKind
from workers.jobs import JobContext
from workers.messages import compose_about


async def tell_recovery(context: JobContext) -> None:
    """Write the recovery notice of a round when its compensation step is done: cause, resolution and offer."""
    if context.fact.body["step"] != StepKind.COMPENSATE:
        return
    case = await context.session.get_one(RecoveryCase, context.fact.subject_id)
    found = await context.session.scalars(
        select(RecoveryStep).where(
            RecoveryStep.case_id == case.id, RecoveryStep.round == context.fact.body["round"]
        )
    )
    steps = {step.kind: step for step in found}
    offer, follow_up = steps[StepKind.COMPENSATE], steps[StepKind.FOLLOW_UP]
    incident = await context.session.get_one(Incident, case.incident_id)
    account = await context.session.get_one(Account, case.account_id)
    owner = await context.session.get_one(User, follow_up.owner_id)
    variables = {
        "cause": case.summary,
        "done": await _resolution(context, incident),
        "offers": list(offer.remedies),
        "amount_cents": await _granted_cents(context, offer.credit_id),
        "currency": account.currency,
        "follow_up_on": follow_up.due_at.astimezone(ZoneInfo(account.time_zone)).date(),
        "signed_by": owner.name,
    }
    intent = f"recovery:{case.id}:{follow_up.round}"
    await compose_about(context, incident, messages.Recovery, intent, variables)


async def _resolution(context: JobContext, incident: Incident) -> str | None:
    """Load the client-visible text of the incident's resolution; None while the incident is open."""
    body: str | None = await context.session.scalar(
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


async def _granted_cents(context: JobContext, credit_id: UUID | None) -> int:
    """Return the granted amount of the service credit; 0 while it awaits approval."""
    if credit_id is None:
        return 0
    credit = await context.session.get_one(Credit, credit_id)
    return await compensation.net_cents(context.session, credit.id)
