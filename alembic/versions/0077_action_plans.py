"""Action plans with comments and measured effects."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0077"
down_revision: str | Sequence[str] | None = "0076"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "action_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum("high", "medium", "low", name="actionpriority", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "started",
                "done",
                "dropped",
                name="actionplanstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "theme",
            sa.Enum(
                "punctuality",
                "coverage",
                "conduct",
                "expertise",
                "response",
                "resolution",
                "communication",
                "reporting",
                "patrols",
                "billing",
                "continuity",
                "technology",
                name="theme",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("commitment_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("response_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("trigger_from", sa.Date(), nullable=False),
        sa.Column("trigger_until", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drop_reason", sa.Text(), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(done_at IS NULL) = (outcome IS NULL)", name=op.f("ck_action_plan_done_has_outcome")
        ),
        sa.CheckConstraint(
            "(dropped_at IS NULL) = (drop_reason IS NULL)",
            name=op.f("ck_action_plan_drop_has_reason"),
        ),
        sa.CheckConstraint(
            "(survey_id IS NULL) = (question IS NULL)",
            name=op.f("ck_action_plan_measured_by_a_question"),
        ),
        sa.CheckConstraint(
            "done_at IS NULL OR dropped_at IS NULL", name=op.f("ck_action_plan_done_or_dropped")
        ),
        sa.CheckConstraint(
            "trigger_from < trigger_until", name=op.f("ck_action_plan_window_has_days")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_action_plan_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["commitment_id"],
            ["commitment.id"],
            name=op.f("fk_action_plan_commitment_id_commitment"),
        ),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["survey.id"], name=op.f("fk_action_plan_survey_id_survey")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_action_plan_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_plan")),
        sa.UniqueConstraint("commitment_id", name=op.f("uq_action_plan_commitment_id")),
    )
    op.execute("ALTER TABLE action_plan ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE action_plan FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON action_plan USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_action_plan_account_id"), "action_plan", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_action_plan_account_id_opened_at"),
        "action_plan",
        ["account_id", "opened_at"],
        unique=False,
    )
    op.create_index(
        "ix_action_plan_measured",
        "action_plan",
        ["tenant_id", "look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_action_plan_tenant_id"), "action_plan", ["tenant_id"], unique=False)
    op.create_table(
        "action_plan_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("from_client", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_action_plan_comment_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["action_plan.id"], name=op.f("fk_action_plan_comment_plan_id_action_plan")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_action_plan_comment_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_plan_comment")),
    )
    op.execute("ALTER TABLE action_plan_comment ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE action_plan_comment FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON action_plan_comment USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_action_plan_comment_account_id"),
        "action_plan_comment",
        ["account_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_action_plan_comment_plan_id_at"),
        "action_plan_comment",
        ["plan_id", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_action_plan_comment_tenant_id"), "action_plan_comment", ["tenant_id"], unique=False
    )
    op.create_table(
        "action_plan_effect",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("before_from", sa.Date(), nullable=False),
        sa.Column("before_until", sa.Date(), nullable=False),
        sa.Column("after_from", sa.Date(), nullable=False),
        sa.Column("after_until", sa.Date(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "improved",
                "worsened",
                "not_shown",
                name="effectverdict",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "method",
            sa.Enum(
                "overlap_t",
                "difference_in_differences",
                "permutation",
                "none",
                name="effectmethod",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("n_before", sa.BigInteger(), nullable=False),
        sa.Column("n_after", sa.BigInteger(), nullable=False),
        sa.Column("n_both", sa.BigInteger(), nullable=False),
        sa.Column("n_others", sa.BigInteger(), nullable=False),
        sa.Column("difference", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("is_higher", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_action_plan_effect_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["action_plan.id"], name=op.f("fk_action_plan_effect_plan_id_action_plan")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_action_plan_effect_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_plan_effect")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_action_plan_effect_plan_id")),
    )
    op.execute("ALTER TABLE action_plan_effect ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE action_plan_effect FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON action_plan_effect USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_action_plan_effect_account_id"), "action_plan_effect", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_action_plan_effect_tenant_id"), "action_plan_effect", ["tenant_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_action_plan_effect_tenant_id"), table_name="action_plan_effect")
    op.drop_index(op.f("ix_action_plan_effect_account_id"), table_name="action_plan_effect")
    op.drop_table("action_plan_effect")
    op.drop_index(op.f("ix_action_plan_comment_tenant_id"), table_name="action_plan_comment")
    op.drop_index(op.f("ix_action_plan_comment_plan_id_at"), table_name="action_plan_comment")
    op.drop_index(op.f("ix_action_plan_comment_account_id"), table_name="action_plan_comment")
    op.drop_table("action_plan_comment")
    op.drop_index(op.f("ix_action_plan_tenant_id"), table_name="action_plan")
    op.drop_index(
        "ix_action_plan_measured",
        table_name="action_plan",
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_action_plan_account_id_opened_at"), table_name="action_plan")
    op.drop_index(op.f("ix_action_plan_account_id"), table_name="action_plan")
    op.drop_table("action_plan")
