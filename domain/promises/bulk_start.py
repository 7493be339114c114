"""Pin the promises of many incidents at once, by the same rule as for one incident online."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements
from domain.core.db import copy_rows


async def attach(session: AsyncSession, tenant_id: UUID, *, account_id: UUID | None = None) -> None:
    """Pin the promises in force for imported incidents, by the rule of `promises.start`."""
    await session.execute(text("DROP TABLE IF EXISTS unattached, pinned"))
    await session.execute(text(_UNATTACHED), {"tenant": tenant_id, "account": account_id})
    groups = await session.execute(
        text("SELECT DISTINCT kind, category, terms_ids FROM unattached")
    )
    pinned = [
        (kind, category, terms_ids, await _applicable(session, terms_ids, kind, category))
        for kind, category, terms_ids in groups.all()
    ]
    await session.execute(text(_PINNED))
    await copy_rows(session, "pinned", ("kind", "category", "terms_ids", "term_ids"), pinned)
    await session.execute(text(_ATTACH), {"tenant": tenant_id})


_UNATTACHED = """
CREATE TEMP TABLE unattached ON COMMIT DROP AS
SELECT i.id, i.account_id, i.kind, i.category, ARRAY(
    SELECT t.id FROM terms t JOIN agreement a ON a.id = t.agreement_id
    WHERE t.account_id = i.account_id AND t.in_force @> i.opened_at
          AND (a.ended_at IS NULL OR a.ended_at > i.opened_at)
    ORDER BY t.id) AS terms_ids
FROM incident i
WHERE i.tenant_id = :tenant AND (CAST(:account AS uuid) IS NULL OR i.account_id = :account)
      AND NOT EXISTS (SELECT FROM promise_watch w WHERE w.incident_id = i.id)
"""
_PINNED = """
CREATE TEMP TABLE pinned (kind text, category text, terms_ids uuid[], term_ids uuid[]) ON COMMIT DROP
"""
_ATTACH = """
INSERT INTO promise_watch (id, tenant_id, account_id, incident_id, term_ids)
SELECT uuidv7(), :tenant, u.account_id, u.id, p.term_ids
FROM unattached u JOIN pinned p
  ON p.kind = u.kind AND p.category IS NOT DISTINCT FROM u.category AND p.terms_ids = u.terms_ids
ON CONFLICT (incident_id) DO NOTHING
"""


async def _applicable(
    session: AsyncSession, terms_ids: Sequence[UUID], kind: str, category: str | None
) -> list[UUID]:
    ids = await session.scalars(
        select(agreements.PromiseTerm.id).where(agreements.PromiseTerm.terms_id.in_(terms_ids))
    )
    known = await agreements.terms_by_id(session, ids)
    ordered = sorted(known.values(), key=lambda term: (term.name, term.id))
    return [term.id for term in agreements.applicable(ordered, kind, category)]
