"""Build incident rows from the ledger facts of the touched incidents."""

from sqlalchemy import text

from domain.access import Tx
from domain.imports import pauses
from domain.imports.mapping import Profile

# The state after all facts of an incident: ended since the last reopening, else paused, else in progress, else
# acknowledged.
_FOLDED = """
CREATE TEMP TABLE folded ON COMMIT DROP AS
SELECT id, opened_at, due_at, acknowledged_at, arrived_at, priority, reopened, reassigned,
       CASE WHEN resolved > again THEN resolved_at END AS resolved_at,
       CASE WHEN closed > again THEN closed_at END AS closed_at,
       CASE WHEN closed > again THEN 'closed' WHEN resolved > again THEN 'resolved' WHEN paused > resumed THEN 'paused'
            WHEN worked THEN 'in_progress' WHEN coalesce(acknowledged_at, arrived_at) IS NOT NULL THEN 'acknowledged'
            ELSE 'new' END AS status
FROM (
  SELECT subject_id AS id,
    min(at) FILTER (WHERE kind = 'incident.opened') AS opened_at,
    min(CAST(body->>'due_at' AS timestamptz)) FILTER (WHERE kind = 'incident.due_agreed') AS due_at,
    min(at) FILTER (WHERE kind = 'incident.acknowledged' AND ledger_id > untaken_id) AS acknowledged_at,
    min(at) FILTER (WHERE kind = 'incident.arrived' AND ledger_id > unarrived_id) AS arrived_at,
    max(at) FILTER (WHERE kind = 'incident.resolved') AS resolved_at,
    max(at) FILTER (WHERE kind = 'incident.closed') AS closed_at,
    max(n) FILTER (WHERE kind = 'incident.resolved') AS resolved,
    max(n) FILTER (WHERE kind = 'incident.closed') AS closed,
    coalesce(max(n) FILTER (WHERE kind = 'incident.reopened'), 0) AS again,
    max(n) FILTER (WHERE kind = 'incident.paused') AS paused,
    coalesce(max(n) FILTER (WHERE kind IN ('incident.resumed', 'incident.resolved', 'incident.closed')), 0) AS resumed,
    bool_or(kind IN ('incident.work_started', 'incident.reopened')) AS worked,
    count(*) FILTER (WHERE kind = 'incident.reopened') AS reopened,
    count(*) FILTER (WHERE kind = 'incident.reassigned') AS reassigned,
    (array_agg(body->>'priority' ORDER BY said_at DESC, ledger_id DESC)
      FILTER (WHERE kind IN ('incident.opened', 'incident.prioritised')))[1] AS priority
  FROM (
    SELECT l.id AS ledger_id, l.subject_id, l.kind, l.at, l.body,
           coalesce(CAST(l.body->>'said_at' AS timestamptz), l.at) AS said_at,
           row_number() OVER (PARTITION BY l.subject_id ORDER BY l.at, l.id) AS n,
           max(CASE l.kind WHEN 'incident.acknowledgement_withdrawn' THEN l.id ELSE 0 END) OVER instant AS untaken_id,
           max(CASE l.kind WHEN 'incident.arrival_withdrawn' THEN l.id ELSE 0 END) OVER instant AS unarrived_id
    FROM ledger l JOIN touched t ON t.id = l.subject_id
    WINDOW instant AS (PARTITION BY l.subject_id, l.at)
  ) told
  GROUP BY subject_id
) counted
"""

_COUNTED = """
SELECT count(*) FILTER (WHERE NOT known), count(*) FILTER (WHERE known) FROM folded JOIN staged_ticket USING (id)
"""

_NEW = """
INSERT INTO incident (id, tenant_id, account_id, site_id, kind, category, service, priority, source, reporter, summary,
  status, opened_at, agreed_at, acknowledged_at, arrived_at, resolved_at, closed_at, reopened_count, reassigned_count,
  client_contact_count, external_sender, external_source, external_id, version)
SELECT f.id, :tenant, t.account_id, t.site_id, t.kind, t.category, t.service, f.priority, t.source, t.reporter,
  t.summary, f.status, f.opened_at, f.due_at, f.acknowledged_at, f.arrived_at, f.resolved_at, f.closed_at, f.reopened,
  f.reassigned,
  0, 'import', :source, t.key, 1
FROM folded f JOIN staged_ticket t USING (id) WHERE NOT t.known
ORDER BY f.opened_at
"""

_KNOWN = """
UPDATE incident i
SET priority = f.priority, status = f.status, agreed_at = f.due_at, acknowledged_at = f.acknowledged_at,
    arrived_at = f.arrived_at, resolved_at = f.resolved_at, closed_at = f.closed_at, reopened_count = f.reopened,
    reassigned_count = f.reassigned, version = i.version + 1
FROM folded f JOIN staged_ticket t USING (id) WHERE t.known AND i.id = f.id
"""

_UPDATES = """
INSERT INTO incident_update
  (id, tenant_id, account_id, incident_id, at, author, body, client_visible, words_unread)
SELECT DISTINCT ON (t.id, f.at, f.word)
       CAST(md5(t.id || ' ' || f.at || ' ' || f.word) AS uuid), :tenant, t.account_id, t.id,
       greatest(f.at, t.opened_at), :author, f.word, CAST(f.body->>'client_visible' AS boolean), false
FROM telling f JOIN staged_ticket t USING (key) WHERE f.kind = 'incident.updated'
ON CONFLICT (id) DO NOTHING
"""


async def fold(tx: Tx, profile: Profile) -> tuple[int, int]:
    """Write the rows of the incidents in `touched`; return how many are new and how many changed."""
    tenant = {"tenant": tx.actor.tenant_id}
    await tx.session.execute(text(_FOLDED))
    counted = await tx.session.execute(text(_COUNTED))
    new, changed = counted.one()
    await tx.session.execute(text(_NEW), tenant | {"source": profile.name})
    await tx.session.execute(text(_KNOWN))
    if profile.updates:
        await tx.session.execute(text(_UPDATES), tenant | {"author": tx.actor.subject})
    await pauses.write(tx.session, at=tx.at)
    return new, changed
