"""Notices to clients about credits that were granted or adjusted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import incidents, messages, promises
from domain.access import Tx
from domain.accounts.model import Account, Tenant
from domain.alarms import ALARM
from domain.compensation import ADJUSTMENT_REASONS
from domain.compensation.model import Credit
from domain.core.erasable_text import ErasableText
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox, OutboxState
from domain.incidents.model import Incident
from domain.journal import JournalEntry
from domain.messages import Message
from domain.occurrences import SHIFT_REPORT
from domain.patrols import PATROL_ROUND, PATROL_VISIT
from domain.promises import clock_event_kinds
from domain.promises.model import Promise
from domain.replacements import REPLACEMENT
from domain.reports import REPORT
from domain.shifts import SHIFT
from workers.jobs import JobContext, Reschedule

SOON = timedelta(seconds=2)
_WHY = {
    REPORT: "report",
    SHIFT: "shift",
    PATROL_ROUND: "patrol",
    PATROL_VISIT: "patrol",
    REPLACEMENT: "replacement",
    SHIFT_REPORT: "report",
    ALARM: "alarm",
}
"""What a letter says about a credit, by the kind of unit that earned it."""


async def tell_credit(context: JobContext) -> None:
    """Notify the contacts of a granted credit and its reason."""
    credit = await context.session.get_one(Credit, context.fact.subject_id)
    await _announce(context, credit, context.fact.body["amount_cents"])


async def tell_adjustment(context: JobContext) -> None:
    """Notify the recipients of the first credit notice that its amount changed, and why.

    Nobody was notified of a credit of zero; when it becomes positive, the contacts receive the first notice
    instead.
    """
    await _wait_for_earlier(context)
    credit = await context.session.get_one(Credit, context.fact.subject_id)
    now_cents = context.fact.body["net_cents"]
    was_cents = now_cents - context.fact.body["amount_cents"]
    recipients = set(
        # Include contacts whose first notice failed: it may be retried and would then state an outdated amount.
        await context.session.scalars(
            select(Message.contact_id).where(Message.intent == _intent(credit))
        )
    )
    if not recipients:
        if was_cents == 0:
            await _announce(context, credit, now_cents)
        return
    entry_id = UUID(context.fact.body["entry_id"])
    entry = await context.session.get_one(JournalEntry, entry_id)
    why = ADJUSTMENT_REASONS[entry.reason]
    variables = {
        "why": why,
        "decision": await _words(context) if why == "decided" else None,
        "was_cents": was_cents,
        "amount_cents": now_cents,
        "currency": credit.currency,
    }
    intent = f"{_intent(credit)}:{entry_id}"
    contacts = {each for each in recipients if each is not None}
    if credit.promise_id is None or credit.incident_id is None:
        about = {"account": await _account(context, credit), "month_on": credit.month_on}
        if credit.promise_id is not None and why not in {"others", "decided"}:
            variables["why"] = "measured"
        kind = messages.MonthCreditAdjusted
        await _compose(context, credit, kind, intent, about | variables, contacts)
        return
    promise = await context.session.get_one(Promise, credit.promise_id)
    incident = await context.session.get_one(Incident, credit.incident_id)
    fact = (
        await _late_fact(context, promise)
        if why in {"kept", "never", "called_off", "broken"}
        else None
    )
    variables |= {
        "promise_kind": promise.kind,
        "due_at": await promises.announced_due_of(context.session, promise),
        "fact_kind": None if fact is None else fact.kind.removeprefix("incident."),
        "fact_at": None if fact is None else fact.at,
        "known_at": None if fact is None else fact.recorded_at,
    }
    await incidents.compose_about(
        context.tx, incident, messages.AdjustedCreditNotice, intent, variables, contacts=contacts
    )


async def _wait_for_earlier(context: JobContext) -> None:
    """Reschedule this job until earlier notices of the credit are written: its recipients depend on them."""
    waiting = await context.session.scalar(
        select(Outbox.id)
        .join(LedgerRow, LedgerRow.id == Outbox.fact_id)
        .where(
            LedgerRow.subject_id == context.fact.subject_id,
            LedgerRow.seq < context.fact.seq,
            Outbox.job.in_([tell_credit.__name__, tell_adjustment.__name__]),
            Outbox.state == OutboxState.PENDING,
        )
        .limit(1)
    )
    if waiting is not None:
        raise Reschedule(context.at + SOON, "an earlier notice of this credit is not written yet")


async def _words(context: JobContext) -> str | None:
    """Load the reason given for a decided adjustment; None when it was erased."""
    text = await context.session.get(ErasableText, context.fact.body["reason"])
    return None if text is None else text.words


async def _late_fact(context: JobContext, promise: Promise) -> LedgerRow | None:
    """Find the incident fact that caused the verdict's revision: the last one recorded before it."""
    revised = (
        select(LedgerRow.id)
        .where(
            LedgerRow.subject_id == promise.id,
            LedgerRow.kind.in_(["promise.revised", "promise.cancelled"]),
            LedgerRow.seq < context.fact.seq,
        )
        .order_by(LedgerRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found: LedgerRow | None = await context.session.scalar(
        select(LedgerRow)
        .where(
            LedgerRow.subject_id == promise.incident_id,
            LedgerRow.kind.in_(clock_event_kinds()),
            LedgerRow.id < revised,
        )
        .order_by(LedgerRow.id.desc())
        .limit(1)
    )
    return found


async def _announce(context: JobContext, credit: Credit, cents: int) -> None:
    variables: dict[str, Any]
    if not cents:
        return  # another credit of the incident, or the cap, left no amount to grant
    if credit.promise_id is None or credit.incident_id is None:
        variables = {
            "account": await _account(context, credit),
            "why": _WHY.get(credit.unit_kind or "", credit.kind),
            "month_on": credit.month_on,
            "amount_cents": cents,
            "currency": credit.currency,
        }
        await _compose(context, credit, messages.GrantedCreditNotice, _intent(credit), variables)
        return
    promise = await context.session.get_one(Promise, credit.promise_id)
    incident = await context.session.get_one(Incident, credit.incident_id)
    variables = {
        "promise_kind": promise.kind,
        "due_at": await promises.announced_due_of(context.session, promise),
        "acknowledged_at": incident.acknowledged_at,
        "arrived_at": incident.arrived_at,
        "resolved_at": incident.resolved_at,
        "amount_cents": cents,
        "currency": credit.currency,
    }
    await incidents.compose_about(
        context.tx, incident, messages.CreditNotice, _intent(credit), variables
    )


async def _compose(
    context: JobContext,
    credit: Credit,
    kind: type[messages.Variables],
    intent: str,
    variables: dict[str, Any],
    contacts: set[UUID] | None = None,
) -> None:
    """Write a notice that concerns no single incident: a credit for a month, or a goodwill credit."""
    tenant = await context.session.get_one(Tenant, credit.tenant_id)
    await messages.compose(
        Tx(context.session, context.actor, context.at),
        credit.account_id,
        intent=intent,
        template=kind,
        variables={"company": tenant.name} | variables,
        contacts=contacts,
    )


async def _account(context: JobContext, credit: Credit) -> str:
    return (await context.session.get_one(Account, credit.account_id)).name


def _intent(credit: Credit) -> str:
    return f"credit:{credit.id}"
