"""Files of a subject: the history of an incident finds the files that were uploaded for it by an index."""

from collections.abc import Sequence

from alembic import op

revision: str = "0038"
down_revision: str | Sequence[str] | None = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_file_subject_id"), "file", ["subject_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_file_subject_id"), table_name="file")
