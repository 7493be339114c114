"""The end of an incident ends its clocks: how it ended is recorded, and clocks that still run are judged again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OUTCOME = sa.Enum(
    *("solved", "false_alarm", "called_off", "duplicate"),
    name="incidentoutcome",
    native_enum=False,
    create_constraint=False,
    length=40,
)

_RUNNING = """
UPDATE promise_watch w SET next_check_at = now()
FROM incident i
WHERE i.id = w.incident_id AND i.status IN ('resolved', 'closed')
      AND EXISTS (SELECT FROM promise p WHERE p.incident_id = i.id
                  AND p.state IN ('pending', 'running', 'paused', 'at_risk'))
"""


def _empty() -> None:
    """Segments are made from the ledger with the meanings of facts: the worker writes them again."""
    op.execute("TRUNCATE column_segment, sealing")


def upgrade() -> None:
    _empty()
    op.add_column("incident", sa.Column("outcome", OUTCOME, nullable=True))
    op.execute(_RUNNING)


def downgrade() -> None:
    _empty()
    op.drop_column("incident", "outcome")
