"""The evaluator: segments say a ticket's site by its row in a table of sites."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


IDS = "length(counts) = 4 * units AND length(incidents) = 16 * units AND length(sites) = 16 * units"
ROWS = (
    "length(counts) = 4 * units AND length(incidents) = 16 * units AND length(site_of) = 4 * units"
)


def _empty() -> None:
    """Segments are made from the ledger: the worker lays them down again."""
    op.execute("TRUNCATE column_segment, sealing")


def upgrade() -> None:
    _empty()
    op.add_column("column_segment", sa.Column("site_of", sa.LargeBinary(), nullable=False))
    op.execute("ALTER TABLE column_segment ALTER COLUMN site_of SET STORAGE EXTERNAL")
    op.drop_constraint(op.f("ck_column_segment_unit_columns"), "column_segment")
    op.create_check_constraint(op.f("ck_column_segment_unit_columns"), "column_segment", ROWS)


def downgrade() -> None:
    _empty()
    op.drop_constraint(op.f("ck_column_segment_unit_columns"), "column_segment")
    op.create_check_constraint(op.f("ck_column_segment_unit_columns"), "column_segment", IDS)
    op.drop_column("column_segment", "site_of")
