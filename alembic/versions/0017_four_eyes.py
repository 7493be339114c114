"""Who gave a gesture, and which simulations were over the whole history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _force(how: str) -> None:
    for table in ("credit", "ledger"):
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")


def upgrade() -> None:
    op.add_column("credit", sa.Column("proposed_by", sa.Text(), nullable=True))
    _force("NO FORCE")
    op.execute(
        "UPDATE credit c SET proposed_by = coalesce((SELECT l.actor FROM ledger l WHERE l.subject_id = c.id"
        " AND l.kind IN ('credit.proposed', 'credit.granted') ORDER BY l.id LIMIT 1), c.decision_by)"
        " WHERE c.kind = 'goodwill'"
    )
    _force("FORCE")
    # Which window a simulation was asked for was not kept: older ones are made anew when terms are amended.
    op.add_column(
        "simulation",
        sa.Column("whole_history", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("simulation", "whole_history", server_default=None)


def downgrade() -> None:
    op.drop_column("simulation", "whole_history")
    op.drop_column("credit", "proposed_by")
