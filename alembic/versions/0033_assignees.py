"""Assignees: which of the company's people handles an incident."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0033"
down_revision: str | Sequence[str] | None = "0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("assignee_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_incident_assignee_id_app_user"), "incident", "app_user", ["assignee_id"], ["id"]
    )
    op.create_index(
        "ix_incident_assignee",
        "incident",
        ["assignee_id", "opened_at"],
        postgresql_where=sa.text("assignee_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_incident_assignee", "incident")
    op.drop_constraint(op.f("fk_incident_assignee_id_app_user"), "incident")
    op.drop_column("incident", "assignee_id")
