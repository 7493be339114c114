"""Notices to the people of an escalation, and to the users responsible for a client."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select

from domain import messages, promises
from domain.access import Tx
from domain.accounts.model import Account, Site, Tenant
from domain.agreements.model import Priority
from domain.core.erasable_text import ErasableText
from domain.core.sequencing import SequencedEvent
from domain.escalation.model import Cycle
from domain.escalation.reads import answered_users, policy_for, warned_users
from domain.escalation.rules import StepDraft, percent_of
from domain.incidents.model import Incident
from domain.messages import AboutIncident, PromiseAtRisk, Variables
from domain.messages.model import Message, Urgency
from domain.promises.model import Promise, State

ERASED = "…"


class Escalated(AboutIncident, frozen=True, kw_only=True):
    """An incident needs attention: nobody acknowledged it, nobody updated it, or it has been open for so long."""

    template: ClassVar[str] = "ticket_escalated"
    version: ClassVar[int] = 2
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


class UnitAtRisk(Variables, frozen=True, kw_only=True):
    """A promise about something else than an incident will be broken unless something happens."""

    template: ClassVar[str] = "unit_at_risk"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    urgency: ClassVar[Urgency] = Urgency.CRITICAL

    account: str
    site: str | None
    promise_kind: str
    due_at: datetime
    used_percent: int
    internal: bool


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


async def warn_ops(tx: Tx, fact: SequencedEvent) -> None:
    """Warn the users responsible for the client that a promise is at risk, at the percentages their policy names."""
    promise = await tx.session.get_one(Promise, fact.subject_id)
    warned = int(fact.body["warned"])
    if promise.state is not State.AT_RISK or promise.warned != warned or promise.due_at is None:
        return  # the promise's state has changed since this fact
    policy = await policy_for(
        tx.session, promise.tenant_id, promise.account_id, Priority(promise.priority)
    )
    if policy is None or percent_of(warned) not in policy.warn_percents:
        return
    percents = await promises.warnings_of(tx.session, promise.unit_id)
    account = await tx.session.get_one(Account, promise.account_id)
    tenant = await tx.session.get_one(Tenant, promise.tenant_id)
    variables = {
        "company": tenant.name,
        "account": account.name,
        "promise_kind": promise.kind,
        "due_at": await promises.announced_due_of(tx.session, promise),
        "used_percent": percent_of(warned, percents),
        "internal": promise.internal,
    }
    template: type[Variables]
    if promise.incident_id is not None:
        template, about = PromiseAtRisk, await _about_incident(tx, promise.incident_id)
    else:
        template, about = UnitAtRisk, await _about_unit(tx, promise.unit_id)
    await messages.compose_to_users(
        tx,
        await warned_users(tx.session, tenant.id, account.id),
        account_id=account.id,
        intent=f"promise:{promise.id}:warned:{warned}",
        template=template,
        variables=variables | about,
    )


async def _about_incident(tx: Tx, incident_id: UUID) -> dict[str, Any]:
    incident = await tx.session.get_one(Incident, incident_id)
    site = await tx.session.get_one(Site, incident.site_id)
    return {
        "site": site.name,
        "summary": incident.summary,
        "reference": incident.reference,
        "opened_at": incident.opened_at,
    }


async def _about_unit(tx: Tx, unit_id: UUID) -> dict[str, Any]:
    site = await tx.session.scalar(
        select(Site.name)
        .join(promises.PromiseWatch, promises.PromiseWatch.site_id == Site.id)
        .where(promises.PromiseWatch.unit_id == unit_id)
    )
    return {"site": site}


async def tell_answered(tx: Tx, fact: SequencedEvent) -> None:
    """Notify the users responsible for the client of an answer, unless the answer was sent automatically."""
    body = fact.body
    if body["automatic"] or body["internal"]:
        return
    message = await tx.session.get_one(Message, fact.subject_id)
    account = await tx.session.get_one(Account, message.account_id)
    tenant = await tx.session.get_one(Tenant, message.tenant_id)
    texts = await _readable_texts(tx, [body["sender"], body["subject"], body["words"]])
    await messages.compose_to_users(
        tx,
        await answered_users(tx.session, tenant.id, account.id),
        account_id=account.id,
        intent=f"answer:{message.id}:{fact.seq}",
        template="answered",
        variables={
            "company": tenant.name,
            "account": account.name,
            "sender": texts.get(body["sender"], ERASED),
            "about": message.subject,
            "words": texts.get(body["words"], ERASED),
        },
    )


async def _readable_texts(tx: Tx, commitments: list[str]) -> dict[str, str]:
    """Load the texts a fact refers to, without those that were erased."""
    rows = await tx.session.scalars(
        select(ErasableText).where(ErasableText.commitment.in_(commitments))
    )
    return {row.commitment: row.words for row in rows}
