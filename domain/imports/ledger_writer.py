"""Write staged rows as facts to the ledger, in sets; existing facts are not repeated."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Origin
from domain.core import ledger_signal
from domain.imports.mapping import Profile

# The incidents of the file: their fields as the first row gives them, and the id they have or get. `once` begins the
# keys
# of their facts: with the account where another account has the number already, or the incident came in otherwise.
_TICKETS = """
CREATE TEMP TABLE staged_ticket ON COMMIT DROP AS
SELECT s.key, coalesce(i.id, uuidv7()) AS id, i.id IS NOT NULL AS known, s.number,
       coalesce(i.opened_at, s.opened_at) AS opened_at, s.agreed_at,
       s.kind, s.category, s.service, s.priority, s.source, s.reporter, s.summary, s.account_id, s.site_id,
       CAST(('x' || right(CAST(s.account_id AS text), 1)) AS bit(4))::int AS shard,
       'import:' || :source || CASE WHEN
         CASE WHEN i.id IS NULL THEN EXISTS (
                SELECT FROM ledger l WHERE l.tenant_id = :tenant AND l.account_id <> s.account_id
                AND l.once_key = 'import:' || :source || ':' || s.key || ':' || 'incident.opened')
              ELSE NOT EXISTS (
                SELECT FROM ledger l WHERE l.subject_id = i.id
                AND starts_with(l.once_key, 'import:' || :source || ':' || s.key || ':')) END
         THEN '@' || s.account_id ELSE '' END || ':' || s.key AS once
FROM (
  SELECT DISTINCT ON (key) key, number, kind, category, service, priority, source, reporter, summary, account_id,
         site_id,
         min(coalesce(opened_at, row_at)) OVER ticket AS opened_at, max(agreed_at) OVER ticket AS agreed_at
  FROM staged_row
  WINDOW ticket AS (PARTITION BY key)
  ORDER BY key, coalesce(row_at, opened_at), row_order, number
) s
LEFT JOIN LATERAL (
  SELECT id, opened_at FROM incident
  WHERE account_id = s.account_id AND external_source = :source AND external_id = s.key
    AND external_sender NOT LIKE 'reporter%'
  ORDER BY external_sender = 'import' DESC, opened_at, id LIMIT 1
) i ON true
"""

# The facts to write: `place` orders facts with the same time, `ord` distinguishes equal texts with the same time.
_TELLING = """
CREATE TEMP TABLE telling (
  key text COLLATE "C", kind text, at timestamptz, said_at timestamptz, place bigint, rank smallint,
  word text, body jsonb, number bigint
) ON COMMIT DROP
"""

_OPENED = """
INSERT INTO telling (key, kind, at, place, rank, body, number)
SELECT key, 'incident.opened', opened_at, -2, 0,
       jsonb_build_object('site_id', CAST(site_id AS text), 'ticket_kind', kind, 'category', category,
                          'priority', priority)
         || CASE WHEN service IS NULL THEN '{}' ELSE jsonb_build_object('service', service) END, number
FROM staged_ticket WHERE NOT known
UNION ALL
SELECT key, 'incident.due_agreed', opened_at, -1, 0,
       jsonb_build_object('due_at', to_char(agreed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                          'priority', priority), number
FROM staged_ticket WHERE agreed_at IS NOT NULL
"""

# Facts in columns; 9e15 sorts them after the row's transitions with the same time.
_COLUMNS = """
INSERT INTO telling (key, kind, at, said_at, place, rank, word, body, number)
SELECT key, kind, at, said_at, 9000000000000000, rank, CAST(body AS text),
       CASE WHEN kind = 'incident.updated' THEN jsonb_build_object('client_visible', client_visible, 'from_us', true)
            ELSE coalesce(detail, '{}') END, number
FROM (
  SELECT DISTINCT ON (key, kind, CASE WHEN pick = 'every' THEN at END, body, CASE WHEN pick = 'every' THEN words END)
         key, kind, rank, at, said_at, body, detail, client_visible, number
  FROM (
    SELECT t.*, s.kind, s.rank, s.pick, s.client_visible,
           CASE s.pick WHEN 'once' THEN 0 WHEN 'last' THEN -1 ELSE 1 END * extract(epoch FROM t.at) AS nearness
    FROM staged_told t JOIN staged_spec s USING (spec)
  ) told
  ORDER BY key, kind, CASE WHEN pick = 'every' THEN at END, body, CASE WHEN pick = 'every' THEN words END,
           nearness, number, spec
) picked
"""

# Differences of each row of a log from the row before it; before the first row comes the state in the ledger.
_CHANGES = """
CREATE TEMP TABLE staged_change ON COMMIT DROP AS
SELECT w.key, w.number, w.row_at, w.place, w.priority, w.meaning, false AS is_bridge,
       coalesce(w.priority_before, ledgered.priority, w.priority) AS priority_before,
       CASE WHEN w.meaning IS NOT NULL THEN coalesce(w.meaning_before, ledgered.meaning, 'new') END AS meaning_before
FROM (
  SELECT key, number, row_at, priority, meaning,
         row_number() OVER log AS place,
         lag(priority) OVER log AS priority_before,
         CASE WHEN meaning IS NOT NULL
              THEN lag(meaning) OVER (PARTITION BY key, meaning IS NULL ORDER BY row_at, row_order, number) END
           AS meaning_before
  FROM staged_row
  WINDOW log AS (PARTITION BY key ORDER BY row_at, row_order, number)
) w
JOIN staged_ticket t USING (key)
LEFT JOIN LATERAL (
  SELECT
    (SELECT l.body->>'priority' FROM ledger l
     WHERE l.subject_id = t.id AND (l.kind = 'incident.opened' OR (l.kind = 'incident.prioritised'
           AND coalesce(CAST(l.body->>'said_at' AS timestamptz), l.at) < w.row_at))
     ORDER BY coalesce(CAST(l.body->>'said_at' AS timestamptz), l.at) DESC, l.id DESC LIMIT 1) AS priority,
    (SELECT CASE l.kind WHEN 'incident.paused' THEN l.body->>'cause' WHEN 'incident.acknowledged' THEN 'acknowledged'
                        WHEN 'incident.resolved' THEN 'resolved' WHEN 'incident.closed' THEN 'closed'
                        ELSE 'in_progress' END
     FROM ledger l
     WHERE l.subject_id = t.id AND l.at < w.row_at AND l.kind = ANY(:state_kinds)
       AND NOT coalesce(CAST(l.body->>'capped' AS boolean), false)
     ORDER BY l.at DESC, l.id DESC LIMIT 1) AS meaning
) ledgered ON t.known AND (w.place = 1 OR (w.meaning IS NOT NULL AND w.meaning_before IS NULL))
"""

# Between the last row of a file and what an earlier import of a later file recorded next.
_BRIDGES = """
INSERT INTO staged_change (key, number, row_at, place, priority, meaning, is_bridge, priority_before, meaning_before)
SELECT last.key, last.number, next.at, last.place + 1, last.priority, next.meaning, true, last.priority, last.meaning
FROM (
  SELECT DISTINCT ON (key) key, number, place, row_at, priority, meaning FROM staged_change
  WHERE meaning IS NOT NULL ORDER BY key, place DESC
) last
JOIN staged_ticket t ON t.key = last.key AND t.known
JOIN LATERAL (
  SELECT l.at, CASE l.kind WHEN 'incident.paused' THEN l.body->>'cause' WHEN 'incident.acknowledged' THEN 'acknowledged'
                           WHEN 'incident.resolved' THEN 'resolved' WHEN 'incident.closed' THEN 'closed'
                           ELSE 'in_progress' END AS meaning
  FROM ledger l
  WHERE l.subject_id = t.id AND l.at > last.row_at AND l.kind = ANY(:state_kinds)
    AND NOT coalesce(CAST(l.body->>'capped' AS boolean), false)
  ORDER BY l.at, l.id DESC LIMIT 1
) next ON true
WHERE next.meaning <> last.meaning
"""

_TRANSITIONS = """
INSERT INTO telling (key, kind, at, place, rank, word, body, number)
SELECT c.key, told.kind, c.row_at, c.place, told.rank, told.word, told.body, c.number
FROM staged_change c
JOIN staged_ticket t ON t.key = c.key
CROSS JOIN LATERAL (
  SELECT meaning_before IN ('waiting_on_client', 'access_denied', 'force_majeure') AS held_before,
         meaning IN ('waiting_on_client', 'access_denied', 'force_majeure') AS held,
         meaning_before IN ('resolved', 'closed') AS over_before, meaning IN ('resolved', 'closed') AS over
) is_
CROSS JOIN LATERAL (VALUES
  (is_.held_before, 'incident.resumed', 1, NULL, CAST('{}' AS jsonb)),
  (is_.over_before AND NOT is_.over, 'incident.reopened', 2, NULL,
   jsonb_build_object('reason', 'reopened at the source')),
  (meaning_before = 'new', 'incident.acknowledged', 3, NULL, '{}'),
  (meaning = 'in_progress' AND meaning_before IN ('new', 'acknowledged'), 'incident.work_started', 4, NULL, '{}'),
  (is_.held, 'incident.paused', 5, meaning, jsonb_build_object('cause', meaning)),
  (meaning = 'resolved' AND NOT is_.over_before, 'incident.resolved', 6, NULL, '{}'),
  (meaning = 'closed', 'incident.closed', 7, NULL, '{}')
) told(holds, kind, rank, word, body)
WHERE c.meaning <> c.meaning_before AND told.holds AND told.kind <> ALL(:column_kinds)
  AND (NOT c.is_bridge OR (
    told.kind IN ('incident.resumed', 'incident.reopened')
    AND NOT EXISTS (SELECT FROM ledger l WHERE l.subject_id = t.id AND l.kind = told.kind AND l.at = c.row_at)))
"""

_PRIORITIES = """
INSERT INTO telling (key, kind, at, said_at, place, rank, word, body, number)
SELECT c.key, 'incident.prioritised', CASE WHEN :retroactive THEN t.opened_at ELSE c.row_at END,
       CASE WHEN :retroactive THEN c.row_at END, c.place, 0, c.priority,
       jsonb_build_object('priority', c.priority, 'reason', 'changed at the source'), c.number
FROM staged_change c JOIN staged_ticket t USING (key)
WHERE c.priority <> c.priority_before
"""

# A closing later than the one in the ledger: the source reversed the first one.
_REOPENED = """
INSERT INTO telling (key, kind, at, place, rank, body, number)
SELECT s.key, 'incident.reopened', was.at, -1, 0,
       jsonb_build_object('reason', 'closed again later at the source'), s.number
FROM telling s JOIN staged_ticket t ON t.key = s.key AND t.known
CROSS JOIN LATERAL (
  SELECT max(l.at) FILTER (WHERE l.kind = s.kind) AS at, max(l.at) FILTER (WHERE l.kind = 'incident.reopened') AS again
  FROM ledger l WHERE l.subject_id = t.id AND l.kind IN (s.kind, 'incident.reopened')
) was
WHERE s.kind = ANY(:single_ends) AND s.at > was.at AND (was.again IS NULL OR was.again < was.at)
"""

_LEDGER = """
CREATE TEMP TABLE touched ON COMMIT DROP AS
WITH placed AS (
  SELECT t.id, t.account_id, t.shard, f.kind, greatest(f.at, t.opened_at) AS at, f.place, f.rank, t.key,
    f.body
      || CASE WHEN f.said_at IS NULL THEN '{}' ELSE
         jsonb_build_object('said_at', to_char(f.said_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) END
      || CASE WHEN f.kind = 'incident.updated' THEN
         jsonb_build_object('update_id', CAST(md5(t.id || ' ' || f.at || ' ' || f.word) AS uuid)) ELSE '{}' END AS body,
    t.once || ':' || f.kind
      || CASE WHEN f.kind IN ('incident.opened', 'incident.due_agreed') THEN '' ELSE
         ':' || CAST(extract(epoch FROM coalesce(f.said_at, f.at)) * 1000000 AS bigint)
         || CASE WHEN f.word IS NULL THEN '' ELSE ':' || CASE WHEN f.kind = 'incident.updated' THEN md5(f.word)
                                                              ELSE f.word END END
         || CASE WHEN f.ord > 1 THEN ':' || f.ord ELSE '' END END AS once_key
  FROM (
    SELECT *, row_number() OVER (PARTITION BY key, kind, at, said_at, word ORDER BY place, number) AS ord FROM telling
  ) f
  JOIN staged_ticket t USING (key)
), told AS (
  INSERT INTO ledger (tenant_id, account_id, shard, kind, subject_id, at, origin, actor, body, once_key)
  SELECT :tenant, account_id, shard, kind, id, at, :origin, :actor, body, once_key
  FROM placed ORDER BY at, key, place, rank
  ON CONFLICT (tenant_id, once_key) WHERE once_key IS NOT NULL DO NOTHING
  RETURNING subject_id
)
SELECT subject_id AS id, count(*) AS facts FROM told GROUP BY subject_id
"""


# The texts of new facts.
_WORDS = """
INSERT INTO disclosure (commitment, tenant_id, account_id, subject_id, at, salt, words)
SELECT s.commitment, :tenant, t.account_id, t.id, l.at, s.salt, s.words
FROM staged_told s
JOIN staged_ticket t USING (key)
JOIN ledger l ON l.subject_id = t.id AND l.kind IN ('incident.reassigned', 'incident.reopened', 'incident.prioritised')
             AND s.commitment IN (l.body->>'to', l.body->>'reason')
WHERE s.commitment IS NOT NULL
"""


async def find(session: AsyncSession, actor: Actor, profile: Profile) -> None:
    """Find the incidents of the staged rows: the temporary table `staged_ticket` (key, id, known, …)."""
    values = {"tenant": actor.tenant_id, "source": profile.name}
    await session.execute(text(_TICKETS), values)
    await session.execute(text("CREATE UNIQUE INDEX ON staged_ticket (key)"))
    await session.execute(text("ANALYZE staged_ticket"))


async def gather(session: AsyncSession, profile: Profile) -> None:
    """Collect the facts of the staged rows: the temporary table `telling`."""
    column_kinds = sorted({fact.kind for fact in profile.facts})
    log = profile.log
    await session.execute(text(_TELLING))
    await session.execute(text(_OPENED))
    await session.execute(text(_COLUMNS))
    if log is not None:
        state_kinds = sorted(_STATE_KINDS - set(column_kinds))
        await session.execute(text(_CHANGES), {"state_kinds": state_kinds})
        await session.execute(text(_BRIDGES), {"state_kinds": state_kinds})
        await session.execute(text(_TRANSITIONS), {"column_kinds": column_kinds})
        if "incident.prioritised" not in column_kinds:
            retroactive = log.priority_change == "retroactive"
            await session.execute(text(_PRIORITIES), {"retroactive": retroactive})
    if "incident.reopened" not in column_kinds:
        ends = {
            fact.kind for fact in profile.facts if fact.picked(is_log=log is not None) == "last"
        }
        if log is None or log.state is None:
            ends |= set(column_kinds)
        await session.execute(text(_REOPENED), {"single_ends": sorted(ends & _ENDS)})
    await session.execute(text("ANALYZE telling"))


async def write_facts(session: AsyncSession, actor: Actor) -> int:
    """Write the facts of `telling` that the ledger does not have; return how many.

    Leaves the temporary table `touched` (id, facts).
    """
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "origin": Origin.HISTORY.value,
        "actor": actor.subject,
    }
    await session.execute(text(_LEDGER), values)
    ledger_signal.announce(session)
    await session.execute(text(_WORDS), {"tenant": actor.tenant_id})
    await session.execute(text("CREATE UNIQUE INDEX ON touched (id)"))
    await session.execute(text("ANALYZE touched"))
    return await session.scalar(text("SELECT coalesce(sum(facts), 0)::bigint FROM touched")) or 0


_ENDS = {"incident.resolved", "incident.closed"}
_STATE_KINDS = _ENDS | {
    "incident.acknowledged",
    "incident.work_started",
    "incident.paused",
    "incident.resumed",
    "incident.reopened",
}
