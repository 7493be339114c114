"""Rules for replies to reviews, and replies with what became of them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0070"
down_revision: str | Sequence[str] | None = "0069"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "reply_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum("draft", "send", "none", name="replymode", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("share_low", sa.Double(), nullable=True),
        sa.Column("share_high", sa.Double(), nullable=True),
        sa.Column("polarity_low", sa.Double(), nullable=True),
        sa.Column("polarity_high", sa.Double(), nullable=True),
        sa.Column("has_words", sa.Boolean(), nullable=True),
        sa.Column(
            "languages", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "themes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("delay_s", sa.BigInteger(), nullable=False),
        sa.Column(
            "templates", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "delay_s BETWEEN 0 AND 604800", name=op.f("ck_reply_rule_delay_week_at_most")
        ),
        sa.CheckConstraint(
            "share_high BETWEEN 0 AND 1", name=op.f("ck_reply_rule_share_high_0_to_1")
        ),
        sa.CheckConstraint("share_low <= share_high", name=op.f("ck_reply_rule_share_low_to_high")),
        sa.CheckConstraint(
            "share_low BETWEEN 0 AND 1", name=op.f("ck_reply_rule_share_low_0_to_1")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["review_source.id"], name=op.f("fk_reply_rule_source_id_review_source")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_reply_rule_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_rule")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_reply_rule_tenant_id_name")),
    )
    op.execute("ALTER TABLE reply_rule ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE reply_rule FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON reply_rule USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(op.f("ix_reply_rule_tenant_id"), "reply_rule", ["tenant_id"], unique=False)
    op.create_index(
        op.f("ix_reply_rule_tenant_id_position"),
        "reply_rule",
        ["tenant_id", "position"],
        unique=False,
    )
    op.create_table(
        "review_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "approved",
                "sent",
                "published",
                "rejected",
                "withdrawn",
                name="replystate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_negative", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("posted_words", sa.Text(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approver_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("recheck_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "NOT is_negative OR state NOT IN ('approved', 'sent', 'published') OR approver_id IS NOT NULL",
            name=op.f("ck_review_reply_negative_has_approver"),
        ),
        sa.CheckConstraint(
            "state <> 'rejected' OR reason IS NOT NULL",
            name=op.f("ck_review_reply_rejected_has_reason"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'sent', 'published') OR words IS NOT NULL",
            name=op.f("ck_review_reply_sent_has_words"),
        ),
        sa.CheckConstraint(
            "(approver_id IS NULL) = (approved_at IS NULL)",
            name=op.f("ck_review_reply_approval_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_review_reply_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["approver_id"], ["app_user.id"], name=op.f("fk_review_reply_approver_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_review_reply_owner_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_reply_review_id_review")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["reply_rule.id"], name=op.f("fk_review_reply_rule_id_reply_rule")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["review_source.id"],
            name=op.f("fk_review_reply_source_id_review_source"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_review_reply_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_reply")),
        sa.UniqueConstraint("review_id", name=op.f("uq_review_reply_review_id")),
    )
    op.execute("ALTER TABLE review_reply ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE review_reply FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON review_reply USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_review_reply_account_id"), "review_reply", ["account_id"], unique=False
    )
    op.create_index(
        "ix_review_reply_due",
        "review_reply",
        ["tenant_id", "next_try_at"],
        unique=False,
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_index(
        "ix_review_reply_open",
        "review_reply",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("late_at IS NULL AND answered_at IS NULL"),
    )
    op.create_index(
        op.f("ix_review_reply_source_id_drafted_at"),
        "review_reply",
        ["source_id", "drafted_at"],
        unique=False,
    )
    op.create_index(op.f("ix_review_reply_tenant_id"), "review_reply", ["tenant_id"], unique=False)


def downgrade() -> None:

    op.drop_index(op.f("ix_review_reply_tenant_id"), table_name="review_reply")
    op.drop_index(op.f("ix_review_reply_source_id_drafted_at"), table_name="review_reply")
    op.drop_index(
        "ix_review_reply_open",
        table_name="review_reply",
        postgresql_where=sa.text("late_at IS NULL AND answered_at IS NULL"),
    )
    op.drop_index(
        "ix_review_reply_due",
        table_name="review_reply",
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_review_reply_account_id"), table_name="review_reply")
    op.drop_table("review_reply")
    op.drop_index(op.f("ix_reply_rule_tenant_id_position"), table_name="reply_rule")
    op.drop_index(op.f("ix_reply_rule_tenant_id"), table_name="reply_rule")
    op.drop_table("reply_rule")
