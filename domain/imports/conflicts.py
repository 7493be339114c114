"""Contradictions between a file and the ledger, or within a file: the first value stays, the other one is reported."""

from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.imports.column_file import NOTE
from domain.imports.mapping import Profile
from domain.imports.staged import Reject

# Rows of a number that another account's rows in the same file use: the first row decides whose incident it is.
_FOREIGN = """
WITH owned AS (
  SELECT number, key, account_id, first_value(account_id) OVER file AS owner, first_value(number) OVER file AS first
  FROM staged_row WINDOW file AS (PARTITION BY key ORDER BY number)
), foreign_row AS (
  DELETE FROM staged_row s USING owned o WHERE o.number = s.number AND o.account_id <> o.owner
  RETURNING s.number, s.key, o.first
), untold AS (DELETE FROM staged_told t USING foreign_row f WHERE t.number = f.number)
SELECT number, key, 'is an incident of another account in row ' || first FROM foreign_row ORDER BY number
"""

# Windows, not joins: the planner cannot estimate the number of first rows, and would use nested loops.
_WITHIN = """
SELECT r.number, r.key, c.what || ' ' || c.said || ', but ' || c.known || ' in row ' || r.first AS reason
FROM (
  SELECT *, first_value(number) OVER file AS first, first_value(opened_at) OVER file AS was_opened_at,
         first_value(agreed_at) OVER file AS was_agreed_at, first_value(priority) OVER file AS was_priority,
         first_value(kind) OVER file AS was_kind, first_value(category) OVER file AS was_category,
         first_value(service) OVER file AS was_service, first_value(source) OVER file AS was_source,
         first_value(site_id) OVER file AS was_site_id
  FROM staged_row
  WHERE key IN (SELECT key FROM staged_row GROUP BY key HAVING count(*) > 1)
  WINDOW file AS (PARTITION BY key ORDER BY number)
) r
CROSS JOIN LATERAL (VALUES
  ('opened at', CAST(opened_at AS text), CAST(was_opened_at AS text), true),
  ('due at', CAST(agreed_at AS text), CAST(was_agreed_at AS text), true),
  ('priority', priority, was_priority, false), ('kind', kind, was_kind, false),
  ('category', category, was_category, false), ('source', source, was_source, false),
  ('service', service, was_service, false),
  ('site', CAST(site_id AS text), CAST(was_site_id AS text), true)
) c(what, said, known, in_logs)
WHERE c.said <> c.known AND (c.in_logs OR NOT :is_log)
UNION ALL
SELECT number, key, kind || ' at ' || at || ', but at ' || was || ' in row ' || first
FROM (
  SELECT t.number, t.key, s.kind, t.at, first_value(t.at) OVER file AS was, first_value(t.number) OVER file AS first
  FROM staged_told t JOIN staged_spec s ON s.spec = t.spec AND s.pick = 'once'
  WINDOW file AS (PARTITION BY t.key, s.kind ORDER BY t.number, t.spec)
) told
WHERE at <> was AND number <> first
ORDER BY 1, 3
"""

# An opening and an agreed date are set once; an incident in the ledger keeps its own.
_AGAINST = """
SELECT s.number, key, 'opened at ' || s.opened_at || ', known as opened at ' || i.opened_at AS reason
FROM (SELECT key, min(number) AS number, min(coalesce(opened_at, row_at)) AS opened_at FROM staged_row GROUP BY key) s
JOIN staged_ticket t USING (key) JOIN incident i ON i.id = t.id
WHERE t.known AND (s.opened_at < i.opened_at OR (:exact AND s.opened_at > i.opened_at))
UNION ALL
SELECT t.number, key, 'due at ' || t.agreed_at || ', known as due at ' || i.agreed_at
FROM staged_ticket t JOIN incident i USING (id)
WHERE t.known AND t.agreed_at <> i.agreed_at
UNION ALL
SELECT t.number, key, c.what || ' ' || c.said || ', known as ' || c.known
FROM staged_ticket t JOIN incident i USING (id)
CROSS JOIN LATERAL (VALUES
  ('priority', t.priority, CASE WHEN t.priority = (
     SELECT l.body->>'priority' FROM ledger l WHERE l.subject_id = i.id AND l.kind = 'incident.opened' LIMIT 1)
     THEN t.priority ELSE i.priority END),
  ('kind', t.kind, i.kind), ('category', t.category, coalesce(i.category, 'none')), ('source', t.source, i.source),
  ('service', t.service, coalesce(i.service, 'none')),
  ('site', CAST(t.site_id AS text), CAST(i.site_id AS text))
) c(what, said, known)
WHERE t.known AND NOT :is_log AND c.said <> c.known
UNION ALL
SELECT t.number, key, 'another ' || c.what || ' than is known'
FROM staged_ticket t JOIN incident i USING (id)
CROSS JOIN LATERAL (VALUES ('summary', t.summary, i.summary), ('reporter', t.reporter, i.reporter)) c(what, said, known)
WHERE t.known AND NOT :is_log AND i.external_sender = 'import' AND c.said <> c.known
UNION ALL
SELECT f.number, key, f.kind || ' at ' || f.at || ' lies before the opening at ' || t.opened_at || '; moved there'
FROM telling f JOIN staged_ticket t USING (key)
WHERE f.at < t.opened_at - CAST(:skew AS interval)
ORDER BY 1, 2, 3
"""

# A fact that an incident has once, and that an earlier file gave differently. A later end is a reopening.
_TOLD_OTHERWISE = """
WITH against AS (
  DELETE FROM telling f USING staged_ticket t, staged_spec s
  WHERE t.key = f.key AND t.known AND s.kind = f.kind AND s.pick = 'once'
    AND EXISTS (SELECT FROM ledger l WHERE l.subject_id = t.id AND l.kind = f.kind
                AND starts_with(l.once_key, t.once || ':')
                AND (f.kind NOT IN ('incident.resolved', 'incident.closed') OR greatest(f.at, t.opened_at) < l.at))
    AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject_id = t.id AND l.kind = f.kind
                    AND starts_with(l.once_key, t.once || ':') AND l.at = greatest(f.at, t.opened_at))
  RETURNING f.number, f.key, f.kind, f.at, t.id, t.once
)
SELECT number, key, kind || ' at ' || at || ', known as at ' || (
  SELECT max(l.at) FROM ledger l
  WHERE l.subject_id = a.id AND l.kind = a.kind AND starts_with(l.once_key, a.once || ':'))
FROM against a ORDER BY 1, 3
"""


async def within(session: AsyncSession, profile: Profile) -> AsyncIterator[Reject]:
    """Return rows that contradict the first row of their incident in the file."""
    if not isinstance(profile.into.account, str):
        async for number, key, reason in await session.stream(text(_FOREIGN)):
            yield _note(number, key, reason)
    found = await session.stream(text(_WITHIN), {"is_log": profile.log is not None})
    async for number, key, reason in found:
        yield _note(number, key, reason)


async def against(session: AsyncSession, profile: Profile) -> AsyncIterator[Reject]:
    """Return rows of imported incidents whose values were not all imported."""
    async for number, key, reason in await session.stream(text(_TOLD_OTHERWISE)):
        yield _note(number, key, reason)
    values = {
        "skew": timedelta(seconds=profile.skew_tolerance_s),
        # else the first of the rows opens, and some may be missing
        "exact": profile.ticket.opened_at is not None,
        "is_log": profile.log is not None,
    }
    async for number, key, reason in await session.stream(text(_AGAINST), values):
        yield _note(number, key, reason)


def _note(number: int, key: str, reason: str) -> Reject:
    return Reject(number, f"{NOTE}{key}: {reason}", ())
