"""Selecting files: those of an incident by their subject, and those to scan for the companies alternately."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0038"
down_revision: str | Sequence[str] | None = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _unchecked(*columns: str) -> None:
    op.drop_index("ix_file_unchecked", table_name="file")
    op.create_index(
        "ix_file_unchecked",
        "file",
        columns,
        unique=False,
        postgresql_where=sa.text("state = 'stored'"),
    )


def upgrade() -> None:
    op.create_index(op.f("ix_file_subject_id"), "file", ["subject_id"], unique=False)
    _unchecked("tenant_id", "stored_at")


def downgrade() -> None:
    _unchecked("stored_at")
    op.drop_index(op.f("ix_file_subject_id"), table_name="file")
