"""The two statements of ingest: insert fixes that may exist already, and update last positions."""

INSERT = """
INSERT INTO fix (device_id, at, tenant_id, account_id, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m,
  battery_pct, skew_s, charging, mock, source, received_at)
SELECT *, $16::timestamptz FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::float8[],
  $6::float8[], $7::real[], $8::real[], $9::real[], $10::real[], $11::real[], $12::real[], $13::bool[],
  $14::bool[], $15::smallint[])
ON CONFLICT (device_id, at) DO UPDATE SET lat = excluded.lat, lon = excluded.lon,
  accuracy_m = excluded.accuracy_m, speed_mps = excluded.speed_mps, heading_deg = excluded.heading_deg,
  altitude_m = excluded.altitude_m, battery_pct = excluded.battery_pct, skew_s = excluded.skew_s,
  charging = excluded.charging, mock = excluded.mock, source = excluded.source,
  received_at = excluded.received_at
WHERE fix.lat IS NULL AND excluded.lat IS NOT NULL
RETURNING device_id, at
"""
MOVE = """
UPDATE whereabouts w SET
  heard = w.heard + 1,
  dirty_from = LEAST(w.dirty_from, n.first_at),
  at = CASE WHEN n.newer THEN n.at ELSE w.at END,
  lat = CASE WHEN n.newer THEN n.lat ELSE w.lat END,
  lon = CASE WHEN n.newer THEN n.lon ELSE w.lon END,
  accuracy_m = CASE WHEN n.newer THEN n.accuracy_m ELSE w.accuracy_m END,
  speed_mps = CASE WHEN n.newer THEN n.speed_mps ELSE w.speed_mps END,
  heading_deg = CASE WHEN n.newer THEN n.heading_deg ELSE w.heading_deg END,
  battery_pct = CASE WHEN n.newer THEN n.battery_pct ELSE w.battery_pct END,
  site_id = CASE WHEN n.newer THEN n.site_id ELSE w.site_id END,
  received_at = CASE WHEN n.newer THEN $11::timestamptz ELSE w.received_at END
FROM (
  SELECT u.*, was.at IS DISTINCT FROM u.at AND NOT was.over AND u.at > coalesce(was.at, '-infinity') AS newer
  FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::float8[], $5::float8[], $6::real[], $7::real[],
    $8::real[], $9::real[], $10::uuid[])
    AS u (duty_id, first_at, at, lat, lon, accuracy_m, speed_mps, heading_deg, battery_pct, site_id)
  JOIN whereabouts was ON was.duty_id = u.duty_id
  ORDER BY u.duty_id FOR UPDATE OF was
) n
WHERE w.duty_id = n.duty_id
"""
