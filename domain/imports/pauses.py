"""Pauses of imported incidents: the same total of 72 hours as for live ones, however the log is split into files."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.promises import PAUSE_ALLOWANCE

# The rule of `domain/promises/pause_limit.py` as rows.
# A pause that nothing ended yet stays open until its allowance is used up.
_HELD = """
CREATE TEMP TABLE held_stretch ON COMMIT DROP AS
WITH marks AS (
  SELECT l.subject_id, l.tenant_id, l.account_id, l.shard, l.at, l.id, l.body->>'cause' AS cause,
         l.kind = 'incident.paused' AS is_pause,
         coalesce(lag(l.kind = 'incident.paused') OVER (PARTITION BY l.subject_id ORDER BY l.at, l.id), false)
           AS was_pause
  FROM ledger l JOIN touched t ON t.id = l.subject_id
  WHERE l.kind IN ('incident.paused', 'incident.resumed', 'incident.resolved', 'incident.closed')
    AND NOT (l.kind = 'incident.resumed' AND coalesce(CAST(l.body->>'capped' AS boolean), false))
), changes AS (
  SELECT *, lead(at) OVER (PARTITION BY subject_id ORDER BY at, id) AS next_at FROM marks WHERE is_pause <> was_pause
), capped AS (
  SELECT *, at + greatest(CAST('0' AS interval), coalesce(
              (SELECT w.pause_allowance_s * interval '1 second' FROM promise_watch w
               WHERE w.unit_id = changes.subject_id),
              CAST(:allowance AS interval)) - coalesce(
              sum(next_at - at) FILTER (WHERE is_pause) OVER (
                PARTITION BY subject_id ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
              CAST('0' AS interval))) AS cap_at
  FROM changes
)
SELECT subject_id, tenant_id, account_id, shard, at AS from_at, cap_at, cause, next_at,
       CASE WHEN next_at IS NOT NULL THEN least(next_at, cap_at) WHEN cap_at <= :at THEN cap_at END AS until_at,
       CASE WHEN EXISTS (SELECT FROM ledger w WHERE w.subject_id = capped.subject_id AND w.at <= capped.at
                         AND w.kind IN ('incident.work_started', 'incident.reopened')) THEN 'in_progress'
            WHEN EXISTS (SELECT FROM ledger w WHERE w.subject_id = capped.subject_id AND w.at <= capped.at
                         AND w.kind = 'incident.acknowledged') THEN 'acknowledged' ELSE 'new' END AS resumed_status
FROM capped WHERE is_pause
"""

# Earlier facts may show that what looked like a separate pause was part of another.
_GONE = """
DELETE FROM incident_pause p USING touched t
WHERE p.incident_id = t.id
  AND NOT EXISTS (SELECT FROM held_stretch h WHERE h.subject_id = p.incident_id AND h.from_at = p.from_at)
"""
# Ended ones first: an incident has one open pause at most.
_ENDED = """
UPDATE incident_pause p SET until_at = h.until_at, cap_at = h.cap_at
FROM held_stretch h
WHERE p.incident_id = h.subject_id AND p.from_at = h.from_at AND h.until_at IS NOT NULL
  AND (p.until_at IS DISTINCT FROM h.until_at OR p.cap_at <> h.cap_at)
"""
_OPEN = """
UPDATE incident_pause p SET until_at = NULL, cap_at = h.cap_at
FROM held_stretch h
WHERE p.incident_id = h.subject_id AND p.from_at = h.from_at AND h.until_at IS NULL
  AND (p.until_at IS NOT NULL OR p.cap_at <> h.cap_at)
"""
_NEW = """
INSERT INTO incident_pause (id, tenant_id, account_id, incident_id, from_at, until_at, cap_at, cause, note,
                            resumed_status)
SELECT uuidv7(), tenant_id, account_id, subject_id, from_at, until_at, cap_at, cause, NULL, resumed_status
FROM held_stretch h
WHERE NOT EXISTS (SELECT FROM incident_pause p WHERE p.incident_id = h.subject_id AND p.from_at = h.from_at)
"""

# No fact records that the allowance was used up: it follows from the pauses, and the next file may move it.
_GOES_ON = """
UPDATE incident i SET status = h.resumed_status
FROM held_stretch h
WHERE i.id = h.subject_id AND i.status = 'paused' AND h.next_at IS NULL AND h.until_at IS NOT NULL
"""
_IS_HELD = """
UPDATE incident i SET status = 'paused'
FROM held_stretch h
WHERE i.id = h.subject_id AND i.status NOT IN ('paused', 'resolved', 'closed')
  AND h.next_at IS NULL AND h.until_at IS NULL
"""


async def write(session: AsyncSession, *, at: datetime) -> None:
    """Update the rows of pauses, and the states of paused incidents, from the ledger."""
    await session.execute(text(_HELD), {"allowance": PAUSE_ALLOWANCE, "at": at})
    for statement in (_GONE, _ENDED, _OPEN, _NEW):
        await session.execute(text(statement))
    await session.execute(text(_GOES_ON))
    await session.execute(text(_IS_HELD))
