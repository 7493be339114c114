"""Success plans with goals, readings and comments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0084"
down_revision: str | Sequence[str] | None = "0083"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "success_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("dependencies", sa.Text(), nullable=True),
        sa.Column("resources", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)",
            name=op.f("ck_success_plan_closing_has_outcome"),
        ),
        sa.CheckConstraint("starts_on < due_on", name=op.f("ck_success_plan_due_after_start")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_success_plan_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_success_plan_owner_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_success_plan_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_success_plan")),
    )
    op.execute("ALTER TABLE success_plan ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE success_plan FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON success_plan USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_success_plan_account_id"), "success_plan", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_success_plan_account_id_opened_at"),
        "success_plan",
        ["account_id", "opened_at"],
        unique=False,
    )
    op.create_index(op.f("ix_success_plan_tenant_id"), "success_plan", ["tenant_id"], unique=False)
    op.create_table(
        "success_comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("from_client", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_success_comment_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["success_plan.id"], name=op.f("fk_success_comment_plan_id_success_plan")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_success_comment_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_success_comment")),
    )
    op.execute("ALTER TABLE success_comment ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE success_comment FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON success_comment USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_success_comment_account_id"), "success_comment", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_success_comment_plan_id_at"), "success_comment", ["plan_id", "at"], unique=False
    )
    op.create_index(
        op.f("ix_success_comment_tenant_id"), "success_comment", ["tenant_id"], unique=False
    )
    op.create_table(
        "success_goal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("criterion_words", sa.Text(), nullable=False),
        sa.Column("kpi", sa.String(40), nullable=True),
        sa.Column("kpi_window", sa.String(40), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("baseline_milli", sa.BigInteger(), nullable=False),
        sa.Column("target_milli", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("value_cents", sa.BigInteger(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value_milli", sa.BigInteger(), nullable=True),
        sa.Column("measured_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kpi IS NULL) = (kpi_window IS NULL)", name=op.f("ck_success_goal_kpi_has_window")
        ),
        sa.CheckConstraint(
            "(kpi IS NULL) = (unit IS NOT NULL)", name=op.f("ck_success_goal_unit_without_kpi")
        ),
        sa.CheckConstraint(
            "(value_milli IS NULL) = (measured_on IS NULL)",
            name=op.f("ck_success_goal_value_has_day"),
        ),
        sa.CheckConstraint(
            "baseline_milli <> target_milli", name=op.f("ck_success_goal_target_is_elsewhere")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_success_goal_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_success_goal_owner_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["success_plan.id"], name=op.f("fk_success_goal_plan_id_success_plan")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_success_goal_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_success_goal")),
    )
    op.execute("ALTER TABLE success_goal ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE success_goal FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON success_goal USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_success_goal_account_id"), "success_goal", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_success_goal_plan_id"), "success_goal", ["plan_id"], unique=False)
    op.create_index(op.f("ix_success_goal_tenant_id"), "success_goal", ["tenant_id"], unique=False)
    op.create_table(
        "success_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("goal_id", sa.Uuid(), nullable=False),
        sa.Column("value_milli", sa.BigInteger(), nullable=False),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("evidence_words", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_success_reading_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["success_goal.id"], name=op.f("fk_success_reading_goal_id_success_goal")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["success_plan.id"], name=op.f("fk_success_reading_plan_id_success_plan")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_success_reading_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_success_reading")),
    )
    op.execute("ALTER TABLE success_reading ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE success_reading FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON success_reading USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_success_reading_account_id"), "success_reading", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_success_reading_goal_id_measured_on"),
        "success_reading",
        ["goal_id", "measured_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_success_reading_plan_id"), "success_reading", ["plan_id"], unique=False
    )
    op.create_index(
        op.f("ix_success_reading_tenant_id"), "success_reading", ["tenant_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_success_reading_tenant_id"), table_name="success_reading")
    op.drop_index(op.f("ix_success_reading_plan_id"), table_name="success_reading")
    op.drop_index(op.f("ix_success_reading_goal_id_measured_on"), table_name="success_reading")
    op.drop_index(op.f("ix_success_reading_account_id"), table_name="success_reading")
    op.drop_table("success_reading")
    op.drop_index(op.f("ix_success_goal_tenant_id"), table_name="success_goal")
    op.drop_index(op.f("ix_success_goal_plan_id"), table_name="success_goal")
    op.drop_index(op.f("ix_success_goal_account_id"), table_name="success_goal")
    op.drop_table("success_goal")
    op.drop_index(op.f("ix_success_comment_tenant_id"), table_name="success_comment")
    op.drop_index(op.f("ix_success_comment_plan_id_at"), table_name="success_comment")
    op.drop_index(op.f("ix_success_comment_account_id"), table_name="success_comment")
    op.drop_table("success_comment")
    op.drop_index(op.f("ix_success_plan_tenant_id"), table_name="success_plan")
    op.drop_index(op.f("ix_success_plan_account_id_opened_at"), table_name="success_plan")
    op.drop_index(op.f("ix_success_plan_account_id"), table_name="success_plan")
    op.drop_table("success_plan")
