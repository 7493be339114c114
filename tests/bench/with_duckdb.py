"""The evaluation as one writes it in SQL: window functions, as-of joins, ranges of rows."""

import duckdb
import numpy as np
import pyarrow as pa

from domain.evaluator.kernels.burn_rate import ENOUGH, PAGE, TICKET
from tests.bench.answers import DUE, FLOW, POINT, Answers, dimension, intervals, spans
from tests.bench.log import DAY, MINUTE, Log

UNITS = f"""
CREATE TEMP TABLE told AS
SELECT e.*, t.cls, t.calendar, t.always,
       CASE e.priority WHEN 0 THEN target0 WHEN 1 THEN target1 WHEN 2 THEN target2 ELSE target3 END AS target
FROM events e JOIN terms t USING (promise) WHERE e.ts <= $at;

CREATE TEMP TABLE flow AS
WITH counted AS (
  SELECT f.*, CASE WHEN always = 1 THEN f.ts ELSE w.before + least(f.ts, w.close) - w.open END AS c
  FROM (SELECT * FROM told WHERE cls = {FLOW}) f
  ASOF LEFT JOIN worked w ON f.calendar = w.calendar AND f.ts >= w.open
), ends AS (
  SELECT k.calendar, CASE WHEN k.always = 1 THEN $at ELSE w.before + least($at, w.close) - w.open END AS c_at
  FROM (SELECT DISTINCT calendar, always, CAST($at AS BIGINT) AS at FROM terms) k
  ASOF LEFT JOIN worked w ON k.calendar = w.calendar AND k.at >= w.open
), flags AS (
  SELECT counted.*,
    coalesce(last_value(CASE WHEN kind IN (1, 5) THEN true WHEN kind = 2 THEN false END
      IGNORE NULLS) OVER u, false) AS opened,
    coalesce(last_value(CASE WHEN kind = 3 THEN true WHEN kind = 4 THEN false END
      IGNORE NULLS) OVER u, false) AS held,
    coalesce(lead(c) OVER (PARTITION BY promise, unit ORDER BY ts, seq), c_at) AS next_c
  FROM counted JOIN ends USING (calendar)
  WINDOW u AS (PARTITION BY promise, unit ORDER BY ts, seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), steps AS (
  SELECT *, CASE WHEN opened AND NOT held THEN next_c - c ELSE 0 END AS step FROM flags
), totals AS (
  SELECT *, CAST(sum(step) OVER (PARTITION BY promise, unit ORDER BY ts, seq
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS total FROM steps
)
SELECT promise, unit, any_value(calendar) AS calendar, any_value(always) AS always,
       any_value(target) AS target, max(total) AS m, arg_max(opened, (ts, seq)) AS opened,
       arg_max(held, (ts, seq)) AS held, max(ts) FILTER (kind = 2) AS stop,
       min(c + target - total + step) FILTER (total > target AND total - step <= target) AS c_late
FROM totals GROUP BY promise, unit;

CREATE TEMP TABLE units AS
WITH broken AS (
  SELECT f.*, CASE WHEN always = 1 THEN c_late ELSE w.open + c_late - w.before END AS breach
  FROM flow f ASOF LEFT JOIN worked w ON f.calendar = w.calendar AND f.c_late >= w.before
), due AS (
  SELECT promise, unit, any_value(target) AS target, min(ts) FILTER (kind = 1) AS s,
         min(ts) FILTER (kind = 2) AS e FROM told WHERE cls = {DUE} GROUP BY promise, unit
), measured AS (
  SELECT *, greatest(0, coalesce(e, $at) - s) AS m FROM due WHERE s IS NOT NULL
)
SELECT promise, unit,
  CASE WHEN c_late IS NOT NULL THEN breach WHEN NOT opened THEN stop ELSE -1 END AS tau, m,
  c_late IS NULL AND NOT opened AS kept,
  CASE WHEN c_late IS NULL THEN 1.0::DOUBLE WHEN opened THEN 0.0
       ELSE greatest(0.0, 2.0 - m::DOUBLE / target) END AS q,
  opened AND NOT held AND c_late IS NULL AS running, opened AND held AND c_late IS NULL AS paused
FROM broken
UNION ALL
SELECT promise, unit, CASE WHEN m > target THEN s + target WHEN e IS NULL THEN -1 ELSE greatest(s, e) END,
  m, m <= target AND e IS NOT NULL,
  CASE WHEN m <= target THEN 1.0::DOUBLE WHEN e IS NULL THEN 0.0
       ELSE greatest(0.0, 2.0 - m::DOUBLE / target) END,
  e IS NULL AND m <= target, false
FROM measured
UNION ALL
SELECT promise, unit, ts, 0, value >= 7, value::DOUBLE / 10, false, false FROM told WHERE cls = {POINT};

CREATE TEMP TABLE done AS SELECT *, tau // {DAY} AS day FROM units WHERE tau >= 0 ORDER BY promise, tau;
"""

RANKED = ", ".join(f"s[(len(s) * {p} + 99) // 100] AS p{p}" for p in (50, 90, 95))
WINDOWS = f"""
WITH grouped AS (
  SELECT promise, span, until_us, count(*) AS n, sum(kept::INT) AS kept, list_sort(list(m)) AS s
  FROM done JOIN windows w ON tau >= w.from_us AND tau < w.until_us GROUP BY promise, span, until_us
), sums AS (
  SELECT promise, tau, sum(w) OVER u AS weights, sum(w * q) OVER u AS vals
  FROM (SELECT *, pow(2.0, (tau - $at)::DOUBLE / {30 * DAY}) AS w FROM done)
  WINDOW u AS (PARTITION BY promise ORDER BY tau RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT g.promise, span, n, g.kept, {RANKED}, vals / weights AS score
FROM grouped g ASOF JOIN sums s ON g.promise = s.promise AND g.until_us > s.tau
ORDER BY g.promise, span
"""


def _trailing(minutes: int) -> str:
    inside = f"FILTER (tau > $at - {minutes * MINUTE})"
    return f"count(*) {inside} AS n{minutes}, sum(late) {inside} AS late{minutes}"


def _fast(tenths: int, long: int, short: int) -> str:
    burns = " AND ".join(
        f"late{w} > 0 AND late{w} * 10000000 >= {tenths} * n{w} * free" for w in (long, short)
    )
    return f"(n{long} >= {ENOUGH} AND {burns})"


BURN = f"""
WITH seen AS (
  SELECT promise, tau, (NOT kept)::INT AS late, 1000000 - objective AS free FROM done JOIN terms USING (promise)
), trails AS (
  SELECT promise, free, {", ".join(_trailing(w) for w in (5, 30, 60, 360, 4320))} FROM seen GROUP BY promise, free
)
SELECT promise, CASE WHEN {_fast(144, 60, 5)} OR {_fast(60, 360, 30)} THEN {PAGE}
                     WHEN {_fast(10, 4320, 360)} THEN {TICKET} ELSE 0 END AS burn FROM trails
"""


def evaluate(log: Log, threads: int = 2) -> Answers:
    """Everything `ours` answers."""
    p = log.promises.cls.size
    with duckdb.connect(config={"threads": threads}) as db:
        db.register("terms", pa.table(dimension(log)))
        db.register("worked", pa.table(intervals(log.calendars)))
        db.register("windows", pa.table(spans(log)))
        columns = log.events._asdict()
        columns["seq"] = np.arange(log.events.ts.size)
        db.register("events", pa.table(columns))
        for statement in filter(str.strip, UNITS.split(";\n")):
            db.execute(statement, {"at": log.at_us} if "$at" in statement else None)
        rows = db.execute(WINDOWS, {"at": log.at_us}).fetchnumpy()
        burns = db.execute(BURN, {"at": log.at_us}).fetchnumpy()
        units = db.execute(
            "SELECT promise, running, paused, tau >= 0 AND NOT kept AS late, tau FROM units"
        ).fetchnumpy()
    where = {name: units["promise"][units[name]] for name in ("running", "paused")}
    burn = np.zeros(p, np.int64)
    burn[burns["promise"]] = burns["burn"]
    return Answers._make(
        (
            *(
                np.asarray(rows[c]).astype(np.int64)
                for c in ("promise", "span", "n", "kept", "p50", "p90", "p95")
            ),
            np.asarray(rows["score"], np.float64),
            *(np.bincount(where[name], minlength=p) for name in ("running", "paused")),
            burn,
            np.sort(units["tau"][units["late"]]),
        )
    )
