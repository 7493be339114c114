"""Sites and contacts that were merged into another one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0083"
down_revision: str | Sequence[str] | None = "0082"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for table in ("site", "contact"):
        op.add_column(table, sa.Column("merged_into_id", sa.Uuid(), nullable=True))
        op.add_column(table, sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_merged_into_id_{table}"), table, table, ["merged_into_id"], ["id"]
        )
        op.create_index(op.f(f"ix_{table}_merged_into_id"), table, ["merged_into_id"], unique=False)
        op.create_check_constraint(
            op.f(f"ck_{table}_merged_is_dated"),
            table,
            "(merged_into_id IS NULL) = (merged_at IS NULL)",
        )


def downgrade() -> None:
    for table in ("contact", "site"):
        op.drop_constraint(op.f(f"ck_{table}_merged_is_dated"), table, type_="check")
        op.drop_index(op.f(f"ix_{table}_merged_into_id"), table_name=table)
        op.drop_constraint(op.f(f"fk_{table}_merged_into_id_{table}"), table, type_="foreignkey")
        op.drop_column(table, "merged_at")
        op.drop_column(table, "merged_into_id")
