"""Measured values in the archive: a column of segments, which are made again from the ledger.

They are also made again because imported ends of agreed dates count at their original time, as in verdicts.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | Sequence[str] | None = "0047"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WAS = "length(ts) = 8 * events AND length(code) = events"
NOW = f"{WAS} AND length(value) IN (0, 4 * events)"


def upgrade() -> None:
    op.execute("TRUNCATE column_segment, sealing")
    op.add_column("column_segment", sa.Column("value", sa.LargeBinary(), nullable=False))
    op.execute("ALTER TABLE column_segment ALTER COLUMN value SET STORAGE EXTERNAL")
    op.drop_constraint(op.f("ck_column_segment_event_columns"), "column_segment")
    op.create_check_constraint(op.f("ck_column_segment_event_columns"), "column_segment", NOW)


def downgrade() -> None:
    op.execute("TRUNCATE column_segment, sealing")
    op.drop_constraint(op.f("ck_column_segment_event_columns"), "column_segment")
    op.create_check_constraint(op.f("ck_column_segment_event_columns"), "column_segment", WAS)
    op.drop_column("column_segment", "value")
