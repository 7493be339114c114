"""The statement that reads clock events from the ledger, and the rows that it returns by binary COPY."""

import numpy as np

ROW = np.dtype(
    [("fields", ">i2")]
    + [
        part
        for name, kind in (
            ("term", ">i4"),
            ("unit", "V16"),
            ("site", "V16"),
            ("began", ">i8"),
            ("ts", ">i8"),
            ("code", ">i2"),
            ("value", ">f4"),
        )
        for part in ((f"{name}_size", ">i4"), (name, kind))
    ]
)
HEADER = 19  # bytes of a binary COPY before its first row

# The same roles of facts as `domain/promises/translation.py`, as a joined table; a test compares the two.
EVENTS = """
SELECT term, unit_id, coalesce(site_id, '{nowhere}'::uuid), began_at, ts, code, value FROM (
SELECT m.term, w.unit_id, w.site_id, w.began_at, l.id AS ord,
       CASE WHEN o.occurred_at IS NOT NULL THEN o.occurred_at
            WHEN m.time_field IS NOT NULL THEN (l.body->>m.time_field)::timestamptz
            WHEN l.body ? m.imported_time_field THEN (l.body->>m.imported_time_field)::timestamptz
            ELSE l.at END AS ts,
       (m.code + 16 * coalesce(array_position($4::text[], l.body->>'priority') - 1, 0))::int2 AS code,
       CASE WHEN m.value_field IS NULL THEN 0 ELSE (l.body->>m.value_field)::float8 END::float4 AS value
FROM promise_watch w
JOIN ledger l ON l.subject_id = w.unit_id
JOIN unnest($1::uuid[], $2::text[], $3::int4[], $5::int4[], $8::text[], $9::text[], $10::int4[],
            $12::text[], $13::text[])
  AS m(term_id, fact, code, term, time_field, flags, occurrence, imported_time_field, value_field)
  ON m.term_id = ANY(w.term_ids) AND m.fact = l.kind
LEFT JOIN LATERAL (
  SELECT (s.body->>'occurred_at')::timestamptz AS occurred_at FROM ledger s
  WHERE m.occurrence > 0 AND s.subject_id = w.unit_id AND s.kind = ANY($11::text[]) {which_stated}
  ORDER BY s.id DESC LIMIT 1
) o ON true
WHERE w.account_id = $6::uuid
  AND (m.occurrence < 2 OR o.occurred_at IS NOT NULL)
  AND (m.flags = '' OR NOT EXISTS (SELECT FROM unnest(string_to_array(m.flags, ',')) AS flag
                                   WHERE NOT (l.body->>flag)::boolean))
  AND NOT (l.kind = 'incident.resumed' AND coalesce((l.body->>'capped')::boolean, false))
  {which}
UNION ALL
SELECT m.term, h.unit_id, h.site_id, h.began_at, 9223372036854775807, h.until_at, m.code::int2, 0::float4
FROM (
  SELECT *, least(next_at, at + greatest(interval '0', coalesce(
           pause_allowance_s * interval '1 second', $7::interval) - coalesce(
           sum(next_at - at) FILTER (WHERE is_pause) OVER earlier, interval '0'))) AS until_at
  FROM (
    SELECT *, lead(at) OVER later AS next_at, lead(kind) OVER later AS next_kind
    FROM (
      SELECT w.unit_id, w.term_ids, w.site_id, w.began_at, w.pause_allowance_s, l.id, l.at, l.kind,
             l.kind = 'incident.paused' AS is_pause,
             coalesce(lag(l.kind = 'incident.paused') OVER (PARTITION BY w.unit_id ORDER BY l.at, l.id), false)
               AS was_pause
      FROM promise_watch w
      JOIN ledger l ON l.subject_id = w.unit_id
      WHERE w.account_id = $6::uuid
        AND EXISTS (SELECT FROM incident_pause p WHERE p.incident_id = w.unit_id)
        AND l.kind IN ('incident.paused', 'incident.resumed', 'incident.resolved', 'incident.closed')
        AND NOT (l.kind = 'incident.resumed' AND coalesce((l.body->>'capped')::boolean, false))
        {which}
    ) marks
    WHERE is_pause <> was_pause
    WINDOW later AS (PARTITION BY unit_id ORDER BY at, id)
  ) changes
  WINDOW earlier AS (PARTITION BY unit_id ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) h
JOIN unnest($1::uuid[], $2::text[], $3::int4[], $5::int4[]) AS m(term_id, fact, code, term)
  ON m.term_id = ANY(h.term_ids) AND m.fact = 'incident.resumed'
WHERE h.is_pause AND (h.until_at IS DISTINCT FROM h.next_at OR h.next_kind <> 'incident.resumed')
) events
ORDER BY unit_id, ord, ts
"""
OWN = 13  # parameters of the statement before those of its selection
