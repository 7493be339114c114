"""Times of reports become parameters of their accounts."""

from collections.abc import Sequence

from alembic import op

revision: str = "0065"
down_revision: str | Sequence[str] | None = "0064"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SET_BY = "system:migration"
_MOVE = """
INSERT INTO parameter_value (id, tenant_id, account_id, level, name, numbers, unit, valid_from, set_at, set_by)
SELECT uuidv7(), p.tenant_id, p.account_id, 'account', v.name, ARRAY[v.number::bigint], v.unit, now(), now(), '{set_by}'
FROM report_plan p
CROSS JOIN LATERAL (VALUES
  ('reports.' || p.cadence || '_time',
   extract(hour FROM p.local_time)::int * 60 + extract(minute FROM p.local_time)::int,
   CASE p.cadence WHEN 'daily' THEN 480 ELSE 510 END, 'minutes_after_midnight'),
  ('reports.weekly_day', p.weekday, CASE p.cadence WHEN 'daily' THEN p.weekday ELSE 0 END, 'count')
) AS v (name, number, usual, unit)
WHERE v.number <> v.usual
"""


def upgrade() -> None:
    op.execute(_MOVE.format(set_by=_SET_BY))


def downgrade() -> None:
    op.execute("DELETE FROM parameter_value WHERE name LIKE 'reports.%'")
