"""Commitments of users of the company to clients, with owner and due time."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0058"
down_revision: str | Sequence[str] | None = "0057"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "commitment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "action_item",
                "improvement",
                "follow_up",
                name="commitmentkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(done_at IS NULL) = (done_by IS NULL)", name=op.f("ck_commitment_done_is_whole")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)",
            name=op.f("ck_commitment_withdrawal_has_reason"),
        ),
        sa.CheckConstraint(
            "done_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_commitment_done_or_withdrawn")
        ),
        sa.CheckConstraint("due_at > made_at", name=op.f("ck_commitment_due_after_made")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_commitment_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_commitment_owner_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_commitment_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment")),
    )
    op.execute("ALTER TABLE commitment ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE commitment FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON commitment USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_commitment_account_id"), "commitment", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_commitment_account_id_due_at"),
        "commitment",
        ["account_id", "due_at"],
        unique=False,
    )
    op.create_index(
        "ix_commitment_open",
        "commitment",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND withdrawn_at IS NULL AND late_at IS NULL"),
    )
    op.create_index(
        op.f("ix_commitment_owner_id_due_at"), "commitment", ["owner_id", "due_at"], unique=False
    )
    op.create_index(op.f("ix_commitment_tenant_id"), "commitment", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_commitment_tenant_id"), table_name="commitment")
    op.drop_index(op.f("ix_commitment_owner_id_due_at"), table_name="commitment")
    op.drop_index(
        "ix_commitment_open",
        table_name="commitment",
        postgresql_where=sa.text("done_at IS NULL AND withdrawn_at IS NULL AND late_at IS NULL"),
    )
    op.drop_index(op.f("ix_commitment_account_id_due_at"), table_name="commitment")
    op.drop_index(op.f("ix_commitment_account_id"), table_name="commitment")
    op.drop_table("commitment")
