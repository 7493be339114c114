"""Read reports: their documents with names, punctuality, and the share of proactive notices."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.accounts.model import Account, Site, Tenant
from domain.agreements.model import Priority, TicketKind
from domain.incidents.model import Incident
from domain.reports import notice_ratio
from domain.reports.content import (
    Content,
    Proactive,
    incidents_of,
)
from domain.reports.data import parts_of
from domain.reports.model import Report, ReportVerdict


@dataclass(frozen=True, slots=True)
class IncidentName:
    """The names of an incident in a report."""

    reference: str
    summary: str
    site: str
    kind: TicketKind
    priority: Priority


@dataclass(frozen=True, slots=True)
class ReportNames:
    """Current names for the ids in a report: erased names are not shown."""

    company: str
    account: str
    incidents: Mapping[UUID, IncidentName]
    sites: Mapping[UUID, str]


async def names_of(session: AsyncSession, account: Account, content: Content) -> ReportNames:
    """Return the names for the ids in a report."""
    tenant = await session.get_one(Tenant, account.tenant_id)
    sites = await session.execute(select(Site.id, Site.name).where(Site.account_id == account.id))
    known = {row.id: row.name for row in sites}
    incidents = await _incident_names(session, account.id, incidents_of(content), known)
    return ReportNames(tenant.name, account.name, incidents, known)


async def _incident_names(
    session: AsyncSession, account_id: UUID, ids: Collection[UUID], sites: Mapping[UUID, str]
) -> dict[UUID, IncidentName]:
    rows = await session.scalars(
        select(Incident).where(Incident.account_id == account_id, Incident.id.in_(ids))
    )
    return {
        row.id: IncidentName(
            row.reference,
            row.summary,
            sites[row.site_id],
            row.kind,
            row.priority,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Punctuality of the reports due in a period: the total, and how many were in time or late."""

    due: int
    kept: int
    late: int


async def punctuality(
    session: AsyncSession, actor: Actor, account_id: UUID, *, from_at: datetime, until_at: datetime
) -> Punctuality:
    """Return how punctual a client's reports were (COM-02: their delivery is a promise too)."""
    rows = await session.execute(
        select(Report.verdict, func.count())
        .where(
            visible_to(actor, Report),
            Report.account_id == account_id,
            Report.due_at >= from_at,
            Report.due_at < until_at,
        )
        .group_by(Report.verdict)
    )
    counts = {row[0]: row[1] for row in rows}
    return Punctuality(
        sum(counts.values()), counts.get(ReportVerdict.KEPT, 0), counts.get(ReportVerdict.LATE, 0)
    )


async def document_of(
    session: AsyncSession, actor: Actor, report_id: UUID
) -> tuple[Content, ReportNames] | None:
    """Return the content and names of a report; None when it is not visible to the actor."""
    report = await session.scalar(
        select(Report).where(Report.id == report_id, visible_to(actor, Report))
    )
    if report is None:
        return None
    account = await session.get_one(Account, report.account_id)
    content = msgspec.convert(report.content, Content)
    return content, await names_of(session, account, content)


async def proactive_of(
    session: AsyncSession, actor: Actor, account_id: UUID, *, from_at: datetime, until_at: datetime
) -> Proactive | None:
    """Return how many of the changes of the service in [from_at, until_at) the client was notified of before (COM-03).

    None when the account is not visible to the actor.
    """
    account = await session.scalar(
        select(Account).where(Account.id == account_id, actor.scope(Account))
    )
    if account is None:
        return None
    parts = await parts_of(session, account, since=from_at, at=until_at)
    changes = [
        *notice_ratio.breaches(parts, from_at, until_at),
        *await notice_ratio.amendments(session, account.id, from_at, until_at),
    ]
    notices = await notice_ratio.notices(session, account.id, changes, until=until_at)
    return notice_ratio.ratio_of(changes, notices)
