"""Crises of clients, in which they get no surveys and no marketing."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0072"
down_revision: str | Sequence[str] | None = "0071"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "crisis",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_crisis_ended_after_began")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_crisis_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_crisis_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crisis")),
    )
    op.execute("ALTER TABLE crisis ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE crisis FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON crisis USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_crisis_account_id"), "crisis", ["account_id"], unique=False)
    op.create_index(op.f("ix_crisis_tenant_id"), "crisis", ["tenant_id"], unique=False)
    op.create_index(
        "uq_crisis_open",
        "crisis",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_crisis_open", table_name="crisis", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_index(op.f("ix_crisis_tenant_id"), table_name="crisis")
    op.drop_index(op.f("ix_crisis_account_id"), table_name="crisis")
    op.drop_table("crisis")
