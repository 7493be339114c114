"""Due by company: deadlines and escalations are selected for the companies alternately."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision: str | Sequence[str] | None = "0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DUE = (
    ("ix_promise_watch_due", "promise_watch", "next_check_at"),
    ("ix_escalation_due", "escalation", "next_step_at"),
)


def _index(*before: str) -> None:
    for name, table, due_at in DUE:
        op.drop_index(name, table)
        op.create_index(
            name, table, [*before, due_at], postgresql_where=sa.text(f"{due_at} IS NOT NULL")
        )


def upgrade() -> None:
    _index("tenant_id")


def downgrade() -> None:
    _index()
