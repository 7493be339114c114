"""SQL of numbering and reading, for the driver's connection.

Facts come as one JSON text that is decoded into structures at once: the driver took 13 µs to decode the ten columns of
a fact, and JSON takes 2.
"""

from collections.abc import Sequence

from domain.core.sequencing.model import COLUMNS, UnnumberedFact

# Every fact is found by an index and in its order, whatever the statistics are. Statistics from before an import
# made the planner read everything that waits, or the whole ledger, for each batch.
BY_INDEX = "; ".join(
    f"SET LOCAL enable_{each} = off"
    for each in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")
)


def _as_json(columns: Sequence[str], rows: str, *more: str) -> str:
    """Return SQL for a JSON array with an array of `columns`, and of SQL values in `more`, for each of `rows`."""
    values = ", ".join((*map(_value, columns), *more))
    fact = f"concat('[', concat_ws(',', {values}), ']')"
    return f"SELECT concat('[', string_agg({fact}, ','), ']') FROM ({rows}) AS facts"  # noqa: S608 - our own names


def _value(column: str) -> str:
    """Return a column in JSON: times in UTC, whatever the zone of the session is."""
    if column in {"id", "seq", "body"}:
        return column
    if column in {"at", "recorded_at"}:
        return f"left(to_json({column} AT TIME ZONE 'UTC')::text, -1) || 'Z\"'"
    return f"coalesce(to_json({column}), 'null')"


_UNNUMBERED = UnnumberedFact.__struct_fields__
_FACT = f"SELECT {', '.join(_UNNUMBERED)} FROM ledger"  # noqa: S608 - our own names

OLDEST = _as_json(_UNNUMBERED, f"{_FACT} WHERE seq IS NULL ORDER BY id LIMIT $1")

# Live facts of accounts without unnumbered history. Separate partial indexes find them behind an import's facts.
# Facts without an account take a query of their own: IS NOT DISTINCT FROM uses no index, and would compare each live
# fact with the whole import of its company.
LIVE_FIRST = _as_json(
    _UNNUMBERED,
    f"""
{_FACT} AS live WHERE seq IS NULL AND origin = 'live'
AND NOT EXISTS (SELECT FROM ledger past WHERE past.seq IS NULL AND past.origin <> 'live'
                AND past.tenant_id = live.tenant_id AND past.account_id = live.account_id)
AND NOT EXISTS (SELECT FROM ledger past WHERE past.seq IS NULL AND past.origin <> 'live'
                AND past.tenant_id = live.tenant_id AND past.account_id IS NULL AND live.account_id IS NULL)
ORDER BY id LIMIT $1
""",  # noqa: S608 - our own names
)

CONSECUTIVE = _as_json(
    COLUMNS,
    f"SELECT {', '.join(COLUMNS)}, hash FROM ledger WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",  # noqa: S608
    # See `link_of`.
    "coalesce(('x' || encode(substring(hash, 1, 6), 'hex'))::bit(48)::bigint::text, 'null')",
)

# A tenant's head may be ahead of the ledger after somebody deleted its last facts: no number is used twice.
LAST_NUMBER = """
SELECT greatest((SELECT max(seq) FROM ledger), (SELECT max(seq) FROM ledger_head), 0)
"""

HEADS = "SELECT tenant_id, hash FROM ledger_head WHERE tenant_id = ANY ($1::uuid[]) FOR UPDATE"

PLACE = """
UPDATE ledger SET seq = placed.seq, hash = placed.hash
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS placed(id, seq, hash) WHERE ledger.id = placed.id
"""

KEEP_HEADS = """
INSERT INTO ledger_head (tenant_id, seq, hash) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])
ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
"""

ADD_JOBS = """
INSERT INTO outbox (id, tenant_id, fact_id, job, lane, recorded_at, state, attempts, due_at)
SELECT added.*, 'pending', 0, $7
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[])
  AS added(id, tenant_id, fact_id, job, lane, recorded_at)
ON CONFLICT (fact_id, job) DO NOTHING RETURNING id
"""
