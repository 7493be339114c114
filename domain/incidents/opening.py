"""Open incidents. A reporter describes what happened; only staff who handle incidents can promise a date."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, promises
from domain.access import Actor, Right, Role, Tx, workable_by
from domain.accounts.model import ApiKey, Site, User
from domain.agreements.model import Priority, TicketKind
from domain.core.base import uuid7
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.text_rules import must_be_line
from domain.incidents import events, occurrence
from domain.incidents.model import Incident, Source
from domain.incidents.rules import AGREED_WITHIN

LIMITED_OVER = timedelta(minutes=10)
"""Period over which the incidents that one client user opens are counted."""

_OWN_SOURCES = {
    Role.CLIENT_USER: frozenset({Source.CLIENT}),
    Role.CLIENT_ADMIN: frozenset({Source.CLIENT}),
    Role.GUARD: frozenset({Source.GUARD}),
    Role.PARTNER: frozenset({Source.PARTNER, Source.ALARM_CENTRE}),
}
"""Sources that a role may give for its reports, for roles outside the control room."""


@dataclass(frozen=True, slots=True)
class ExternalNumber:
    """Number that another system gave an incident; it belongs to its sender."""

    source: str | None
    id: str | None


async def open_incident(
    tx: Tx,
    *,
    site_id: UUID,
    priority: Priority,
    summary: str,
    source: Source,
    reporter: str,
    kind: TicketKind = TicketKind.INCIDENT,
    category: str | None = None,
    service: str | None = None,
    agreed_at: datetime | None = None,
    external_source: str | None = None,
    external_id: str | None = None,
    client_limit: int | None = None,
    occurred: occurrence.StatedOccurrence | None = None,
) -> Incident:
    """Open an incident at a site; the promises in force start their clocks in the same transaction.

    Client users and guards report under their own name and source, without external numbers. `client_limit` is how many
    incidents one client user may open in ten minutes. `occurred` says when it happened, where that is not now.
    """
    tx.actor.must(Right.REPORT)
    site = await tx.get(Site, site_id, "site", argument="siteId", among=workable_by(tx.actor, Site))
    for words, argument in (
        (summary, "summary"),
        (reporter, "reporter"),
        (category, "category"),
        (service, "service"),
        (external_source, "externalSource"),
        (external_id, "externalId"),
    ):
        must_be_line(words, argument)
    external = ExternalNumber(external_source, external_id)
    _must_report_as_oneself(tx.actor, source, external)
    _must_be_agreed(tx.actor, agreed_at, tx.at)
    if occurred is not None:
        occurrence.must_be_plausible(tx, occurred, told_at=tx.at, argument="occurrenceReason")
    if tx.actor.is_client and client_limit is not None:
        await _must_be_within_limit(tx, client_limit)
    sender = await _claim_number(tx, site.account_id, external)
    incident = Incident(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=site.account_id,
        site_id=site.id,
        kind=kind,
        category=category,
        service=service,
        priority=priority,
        source=source,
        reporter=await _reporter(tx, reporter),
        summary=summary,
        opened_at=tx.at,
        occurred_at=None if occurred is None else occurred.at,
        agreed_at=agreed_at,
        external_sender=sender,
        external_source=external_source,
        external_id=external_id,
    )
    tx.session.add(incident)
    await tx.session.flush()
    _record(tx, incident)
    if occurred is not None:
        occurrence.record_statement(tx, incident, before=None, reason=occurred.reason)
    attributes = agreements.IncidentAttributes(kind, category, site.id, tx.at, service)
    subject = promises.PromiseSubject(
        promises.INCIDENT, incident.id, incident.account_id, attributes
    )
    await promises.start(tx.session, tx.actor, subject, at=tx.at)
    return incident


def _record(tx: Tx, incident: Incident) -> None:
    tx.record(
        events.Opened(
            account_id=incident.account_id,
            subject_id=incident.id,
            at=incident.opened_at,
            site_id=incident.site_id,
            ticket_kind=incident.kind,
            category=incident.category,
            priority=incident.priority,
            service=incident.service,
        )
    )
    if incident.agreed_at is not None:
        tx.record(
            events.DueAgreed(
                account_id=incident.account_id,
                subject_id=incident.id,
                at=incident.opened_at,
                due_at=incident.agreed_at,
                priority=incident.priority,
            )
        )


def _must_report_as_oneself(actor: Actor, source: Source, external: ExternalNumber) -> None:
    own = _OWN_SOURCES.get(actor.role)
    if own is not None and source not in own:
        allowed = " or ".join(sorted(each.name for each in own))
        raise Refused(
            Code.NOT_ALLOWED, f"Your role reports with the source {allowed}.", argument="source"
        )
    if not actor.may(Right.HANDLE):
        for value, argument in (
            (external.source, "externalSource"),
            (external.id, "externalId"),
        ):
            if value is not None:
                raise Refused(
                    Code.NOT_ALLOWED,
                    "Only staff and API keys can give an external number.",
                    argument=argument,
                )


def _must_be_agreed(actor: Actor, agreed_at: datetime | None, at: datetime) -> None:
    if agreed_at is None:
        return
    if not actor.may(Right.AGREE_DATES):
        raise Refused(
            Code.NOT_ALLOWED,
            "Only the security company's staff can agree a date.",
            argument="agreedAt",
        )
    if not at < agreed_at < at + AGREED_WITHIN:
        raise Refused(
            Code.INVALID,
            "An agreed date must be in the future, within ten years.",
            argument="agreedAt",
        )


async def _must_be_within_limit(tx: Tx, most: int) -> None:
    """Refuse a client user who opens too many incidents in a short time."""
    await _lock(tx.session, f"incidents of {tx.actor.subject}")
    opened = await tx.session.scalar(
        select(func.count())
        .select_from(Incident)
        .join(LedgerRow, LedgerRow.subject_id == Incident.id)
        .where(
            tx.actor.scope(Incident),
            Incident.opened_at > tx.at - LIMITED_OVER,
            LedgerRow.kind == events.Opened.kind,
            LedgerRow.actor == tx.actor.subject,
        )
    )
    if (opened or 0) >= most:
        raise Refused(
            Code.TOO_MANY,
            f"You opened {most} incidents within {LIMITED_OVER.seconds // 60} minutes. Call the control room.",
            retryable=True,
        )


async def _claim_number(tx: Tx, account_id: UUID, external: ExternalNumber) -> str | None:
    """Return the sender of an external number; refuse, with the incident's id, a number used before."""
    if external.id is None:
        return None
    sender = sender_of(tx.actor)
    await _lock(tx.session, f"{account_id} {sender} {external.source} {external.id}")
    known = await tx.session.scalar(
        select(Incident.id).where(
            Incident.account_id == account_id,
            Incident.external_sender == sender,
            Incident.external_source.is_not_distinct_from(external.source),
            Incident.external_id == external.id,
        )
    )
    if known is not None:
        raise Refused(
            Code.ALREADY_EXISTS,
            "An incident with this number exists already: see existingId.",
            argument="externalId",
            existing=("Incident", known),
        )
    return sender


def sender_of(actor: Actor) -> str:
    """Return the owner of an actor's external numbers: each API key has its own, the company's users share theirs."""
    return actor.subject if actor.subject.startswith("key:") else "staff"


async def _reporter(tx: Tx, given: str) -> str:
    """Return the reporter's name; client users and guards report under the name of their user."""
    if tx.actor.may(Right.HANDLE):
        return given
    kind, _, row_id = tx.actor.subject.partition(":")
    named: Any = {"user": User, "key": ApiKey}.get(kind)
    if named is None:
        return given
    name: str | None = await tx.session.scalar(
        select(named.name).where(cast(named.id, Text) == row_id)
    )
    return name or given


async def _lock(session: AsyncSession, what: str) -> None:
    """Lock a name until the transaction ends, so that concurrent requests about it run one after the other."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))
