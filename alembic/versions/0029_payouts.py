"""Payouts: what is paid to clients for closing credit notes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | Sequence[str] | None = "0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "payout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_payout_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_payout_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"],
            ["credit_note.id"],
            name=op.f("fk_payout_credit_note_id_credit_note"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["payout.id"], name=op.f("fk_payout_reverses_id_payout")
        ),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_payout_reverses_id")),
        sa.CheckConstraint(
            "amount_cents <> 0 AND (reverses_id IS NULL) = (amount_cents > 0)",
            name=op.f("ck_payout_amount_sign"),
        ),
    )
    for column in ("tenant_id", "account_id", "credit_note_id"):
        op.create_index(op.f(f"ix_payout_{column}"), "payout", [column])
    op.create_index(
        "uq_payout_reference_standing",
        "payout",
        ["credit_note_id", "reference"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NULL AND reversed_at IS NULL"),
    )
    op.execute("ALTER TABLE payout ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE payout FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON payout USING (tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[])))"
    )


def downgrade() -> None:
    op.drop_table("payout")
