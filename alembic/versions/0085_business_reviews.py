"""Business reviews, with their content as it was when they were made."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0085"
down_revision: str | Sequence[str] | None = "0084"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "business_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("template_hash", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)",
            name=op.f("ck_business_review_release_is_whole"),
        ),
        sa.CheckConstraint("from_on < until_on", name=op.f("ck_business_review_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_business_review_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_business_review_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_review")),
        sa.UniqueConstraint(
            "account_id",
            "kind",
            "from_on",
            "revision",
            name=op.f("uq_business_review_account_id_kind_from_on_revision"),
        ),
    )
    op.execute("ALTER TABLE business_review ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE business_review FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON business_review USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_business_review_account_id"), "business_review", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_business_review_account_id_made_at"),
        "business_review",
        ["account_id", "made_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_business_review_tenant_id"), "business_review", ["tenant_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_business_review_tenant_id"), table_name="business_review")
    op.drop_index(op.f("ix_business_review_account_id_made_at"), table_name="business_review")
    op.drop_index(op.f("ix_business_review_account_id"), table_name="business_review")
    op.drop_table("business_review")
