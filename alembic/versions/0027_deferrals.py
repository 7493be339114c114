"""Periodic work that failed: which, why, and when it is tried again; and live facts that wait behind an import's."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | Sequence[str] | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_ledger_live",
        "ledger",
        ["id"],
        postgresql_where=sa.text("seq IS NULL AND origin = 'live'"),
    )
    op.create_index(
        "ix_ledger_past",
        "ledger",
        ["tenant_id", "account_id"],
        postgresql_where=sa.text("seq IS NULL AND origin <> 'live'"),
    )
    op.create_table(
        "deferral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_deferral_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deferral")),
        sa.UniqueConstraint("part", "subject_id", name=op.f("uq_deferral_part_subject_id")),
    )
    op.create_index(op.f("ix_deferral_next_try_at"), "deferral", ["next_try_at"])
    op.create_index(op.f("ix_deferral_tenant_id"), "deferral", ["tenant_id"])
    op.execute("ALTER TABLE deferral ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE deferral FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON deferral USING (tenant_id = (SELECT fence_tenant()))")


def downgrade() -> None:
    op.drop_table("deferral")
    op.drop_index("ix_ledger_past", "ledger")
    op.drop_index("ix_ledger_live", "ledger")
