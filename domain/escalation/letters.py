"""Messages of an escalation."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from domain import messages
from domain.access import Tx
from domain.accounts.model import Account, Site, Tenant
from domain.agreements.model import Priority
from domain.escalation.model import Cycle
from domain.escalation.rules import StepDraft
from domain.incidents.model import Incident
from domain.messages import AboutIncident
from domain.messages.model import Urgency


class Escalated(AboutIncident, frozen=True, kw_only=True):
    """An incident needs attention: nobody acknowledged it, nobody updated it, or it has been open for so long."""

    template: ClassVar[str] = "ticket_escalated"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    urgency: ClassVar[Urgency] = Urgency.HIGH

    account: str
    priority: str
    cycle: str
    since: datetime
    number: int


class EscalatedUrgently(Escalated, frozen=True, kw_only=True):
    """The same message, also sent in quiet hours."""

    urgency: ClassVar[Urgency] = Urgency.CRITICAL


async def notify(
    tx: Tx,
    taken: UUID,
    incident: Incident,
    step: StepDraft,
    users: Sequence[UUID],
    cycle: Cycle,
    since: datetime,
    number: int,
) -> None:
    """Notify the people of a step; once, because `taken`, the step's own id, is the intent of the messages."""
    tenant = await tx.session.get_one(Tenant, incident.tenant_id)
    account = await tx.session.get_one(Account, incident.account_id)
    site = await tx.session.get_one(Site, incident.site_id)
    words = {
        "company": tenant.name,
        "account": account.name,
        "site": site.name,
        "summary": incident.summary,
        "reference": incident.reference,
        "opened_at": incident.opened_at,
        "priority": incident.priority,
        "cycle": cycle,
        "since": since,
        "number": number + 1,
    }
    critical = incident.priority is Priority.CRITICAL
    template = EscalatedUrgently if step.urgent or critical else Escalated
    intent = f"escalation:{taken}"
    if users:
        await messages.compose_to_users(
            tx, users, account_id=account.id, intent=intent, template=template, variables=words
        )
    if step.contact_ids:
        await messages.compose(
            tx,
            account.id,
            intent=intent,
            template=template,
            variables=words,
            contacts=step.contact_ids,
        )
