"""Dashboards, and indexes for KPIs over all accounts of a company."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0078"
down_revision: str | Sequence[str] | None = "0077"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INSTANTS = (
    ("promise", "decided_at"),
    ("incident", "opened_at"),
    ("incident", "acknowledged_at"),
    ("incident", "resolved_at"),
    ("shift", "until_at"),
    ("survey_response", "answered_at"),
)


def upgrade() -> None:
    op.create_table(
        "dashboard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("tiles", postgresql.JSONB(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_dashboard_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dashboard")),
        sa.UniqueConstraint(
            "tenant_id", "owner", "name", name=op.f("uq_dashboard_tenant_id_owner_name")
        ),
    )
    op.execute("ALTER TABLE dashboard ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE dashboard FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON dashboard USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(op.f("ix_dashboard_tenant_id"), "dashboard", ["tenant_id"])
    for table, column in INSTANTS:
        op.create_index(op.f(f"ix_{table}_tenant_id_{column}"), table, ["tenant_id", column])


def downgrade() -> None:
    for table, column in reversed(INSTANTS):
        op.drop_index(op.f(f"ix_{table}_tenant_id_{column}"), table_name=table)
    op.drop_table("dashboard")
