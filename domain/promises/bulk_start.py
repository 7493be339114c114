"""Pin the promises of many incidents at once, by the same rule as for one incident online."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements
from domain.calendars import CalendarSpec
from domain.core.db import copy_rows

_ANY_SITE = UUID(int=0)
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class _LikeIncidents(NamedTuple):
    """What decides the promises of an incident; the site and time are None unless a promise is limited to some."""

    kind: str
    category: str | None
    site_id: UUID | None
    opened_at: datetime | None
    service: str | None
    terms_ids: Sequence[UUID]


async def attach(session: AsyncSession, tenant_id: UUID, *, account_id: UUID | None = None) -> None:
    """Pin the promises in force for imported incidents, by the rule of `promises.start`."""
    await session.execute(text("DROP TABLE IF EXISTS unattached, pinned"))
    await session.execute(text(_UNATTACHED), {"tenant": tenant_id, "account": account_id})
    rows = await session.execute(text(_GROUPS))
    groups = [_LikeIncidents(*row) for row in rows]
    in_force = {
        ids: await _terms_of(session, ids) for ids in {tuple(each.terms_ids) for each in groups}
    }
    pinned = [(*each, _applicable(in_force[tuple(each.terms_ids)], each)) for each in groups]
    await session.execute(text(_PINNED))
    await copy_rows(session, "pinned", (*_LikeIncidents._fields, "term_ids"), pinned)
    await session.execute(text(_ATTACH), {"tenant": tenant_id})


_UNATTACHED = """
CREATE TEMP TABLE unattached ON COMMIT DROP AS
SELECT i.id, i.account_id, i.site_id AS unit_site_id, i.opened_at AS began_at, i.kind, i.category, i.service,
       in_force.terms_ids,
       CASE WHEN in_force.by_site THEN i.site_id END AS site_id,
       CASE WHEN in_force.by_hours THEN i.opened_at END AS opened_at
FROM incident i CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(t.id ORDER BY t.id), '{}') AS terms_ids,
           bool_or(EXISTS (SELECT FROM promise_term p WHERE p.terms_id = t.id AND p.site_ids <> '{}')) AS by_site,
           bool_or(EXISTS (SELECT FROM promise_term p WHERE p.terms_id = t.id AND p.hours_id IS NOT NULL)) AS by_hours
    FROM terms t JOIN agreement a ON a.id = t.agreement_id
    WHERE t.account_id = i.account_id AND t.in_force @> i.opened_at
          AND (a.ended_at IS NULL OR a.ended_at > i.opened_at)) in_force
WHERE i.tenant_id = :tenant AND (CAST(:account AS uuid) IS NULL OR i.account_id = :account)
      AND NOT EXISTS (SELECT FROM promise_watch w WHERE w.unit_id = i.id)
"""
_GROUPS = "SELECT DISTINCT kind, category, site_id, opened_at, service, terms_ids FROM unattached"
_PINNED = """
CREATE TEMP TABLE pinned (kind text, category text, site_id uuid, opened_at timestamptz, service text,
                          terms_ids uuid[], term_ids uuid[]) ON COMMIT DROP
"""
_ATTACH = """
INSERT INTO promise_watch (id, tenant_id, account_id, unit_kind, unit_id, site_id, began_at, term_ids)
SELECT uuidv7(), :tenant, u.account_id, 'incident', u.id, u.unit_site_id, u.began_at, p.term_ids
FROM unattached u JOIN pinned p
  ON p.kind = u.kind AND p.terms_ids = u.terms_ids AND p.category IS NOT DISTINCT FROM u.category
 AND p.service IS NOT DISTINCT FROM u.service
 AND p.site_id IS NOT DISTINCT FROM u.site_id AND p.opened_at IS NOT DISTINCT FROM u.opened_at
ON CONFLICT (unit_id) DO NOTHING
"""


class _InForce(NamedTuple):
    """The promises of some versions of terms, and the hours that they are limited to."""

    terms: list[agreements.Term]
    hours: Mapping[UUID, CalendarSpec]


async def _terms_of(session: AsyncSession, terms_ids: Sequence[UUID]) -> _InForce:
    """Read promises once for all incidents: with a limit to hours, each incident is a group of its own."""
    ids = await session.scalars(
        select(agreements.PromiseTerm.id).where(agreements.PromiseTerm.terms_id.in_(terms_ids))
    )
    known = await agreements.terms_by_id(session, ids)
    ordered = sorted(known.values(), key=lambda term: (term.name, term.id))
    return _InForce(ordered, await agreements.hours_of(session, ordered))


def _applicable(in_force: _InForce, group: _LikeIncidents) -> list[UUID]:
    incident = agreements.IncidentAttributes(
        group.kind,
        group.category,
        group.site_id or _ANY_SITE,
        group.opened_at or _ANY_TIME,
        group.service,
    )
    return [term.id for term in agreements.applicable(in_force.terms, incident, in_force.hours)]
