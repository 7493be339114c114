"""Account teams, playbooks, their runs and the tasks of runs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0079"
down_revision: str | Sequence[str] | None = "0078"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "playbook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "trigger_kind",
            sa.Enum(
                "band",
                "warning",
                "date",
                "kpi",
                name="playbooktrigger",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("trigger_value", sa.Text(), nullable=False),
        sa.Column("days_before", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "days_before BETWEEN 0 AND 730", name=op.f("ck_playbook_days_before_range")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_playbook_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_playbook_tenant_id_name")),
    )
    op.execute("ALTER TABLE playbook ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE playbook FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON playbook USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(op.f("ix_playbook_tenant_id"), "playbook", ["tenant_id"], unique=False)
    op.create_index(
        "uq_playbook_trigger",
        "playbook",
        ["tenant_id", "trigger"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "playbook_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "resolved",
                "improved",
                "unchanged",
                "client_left",
                "not_needed",
                "expired",
                name="playoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_playbook_run_end_has_outcome")
        ),
        sa.CheckConstraint(
            "closed_at >= opened_at", name=op.f("ck_playbook_run_closed_after_opened")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_playbook_run_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["playbook_id"], ["playbook.id"], name=op.f("fk_playbook_run_playbook_id_playbook")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_playbook_run_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_run")),
        sa.UniqueConstraint(
            "account_id",
            "trigger",
            "occurrence",
            name=op.f("uq_playbook_run_account_id_trigger_occurrence"),
        ),
    )
    op.execute("ALTER TABLE playbook_run ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE playbook_run FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON playbook_run USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_playbook_run_account_id"), "playbook_run", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_playbook_run_playbook_id"), "playbook_run", ["playbook_id"], unique=False
    )
    op.create_index(op.f("ix_playbook_run_tenant_id"), "playbook_run", ["tenant_id"], unique=False)
    op.create_index(
        op.f("ix_playbook_run_tenant_id_opened_at"),
        "playbook_run",
        ["tenant_id", "opened_at"],
        unique=False,
    )
    op.create_index(
        "uq_playbook_run_open",
        "playbook_run",
        ["account_id", "trigger"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "team_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "account_manager",
                "executive_sponsor",
                "customer_success",
                "project_manager",
                "sales_support",
                "technical",
                "support",
                "finance",
                "expert",
                name="teamrole",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "raci",
            sa.Enum(
                "responsible",
                "accountable",
                "consulted",
                "informed",
                name="raci",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("deputy_id", sa.Uuid(), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_reason", sa.Text(), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(left_at IS NULL) = (left_reason IS NULL)",
            name=op.f("ck_team_member_leaving_has_reason"),
        ),
        sa.CheckConstraint("deputy_id <> user_id", name=op.f("ck_team_member_deputy_is_another")),
        sa.CheckConstraint("left_at >= joined_at", name=op.f("ck_team_member_left_after_joined")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_team_member_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["deputy_id"], ["app_user.id"], name=op.f("fk_team_member_deputy_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["app_user.id"], name=op.f("fk_team_member_successor_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_team_member_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_team_member_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_member")),
    )
    op.execute("ALTER TABLE team_member ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE team_member FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON team_member USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_team_member_account_id"), "team_member", ["account_id"], unique=False)
    op.create_index(op.f("ix_team_member_tenant_id"), "team_member", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_team_member_user_id"), "team_member", ["user_id"], unique=False)
    op.create_index(
        "uq_team_member_accountable",
        "team_member",
        ["account_id", "role"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL AND raci = 'accountable'"),
    )
    op.create_index(
        "uq_team_member_once",
        "team_member",
        ["account_id", "user_id", "role"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "playbook_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column(
            "owner_role",
            sa.Enum(
                "account_manager",
                "executive_sponsor",
                "customer_success",
                "project_manager",
                "sales_support",
                "technical",
                "support",
                "finance",
                "expert",
                name="teamrole",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("working_days", sa.BigInteger(), nullable=False),
        sa.Column("depends_on", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unowned_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commitment_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_playbook_task_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["commitment_id"],
            ["commitment.id"],
            name=op.f("fk_playbook_task_commitment_id_commitment"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["playbook_run.id"], name=op.f("fk_playbook_task_run_id_playbook_run")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_playbook_task_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playbook_task")),
        sa.UniqueConstraint("commitment_id", name=op.f("uq_playbook_task_commitment_id")),
        sa.UniqueConstraint("run_id", "key", name=op.f("uq_playbook_task_run_id_key")),
    )
    op.execute("ALTER TABLE playbook_task ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE playbook_task FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON playbook_task USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_playbook_task_account_id"), "playbook_task", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_playbook_task_run_id"), "playbook_task", ["run_id"], unique=False)
    op.create_index(
        op.f("ix_playbook_task_tenant_id"), "playbook_task", ["tenant_id"], unique=False
    )
    op.create_index(
        "ix_playbook_task_waiting",
        "playbook_task",
        ["run_id"],
        unique=False,
        postgresql_where=sa.text("commitment_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_playbook_task_waiting",
        table_name="playbook_task",
        postgresql_where=sa.text("commitment_id IS NULL"),
    )
    op.drop_index(op.f("ix_playbook_task_tenant_id"), table_name="playbook_task")
    op.drop_index(op.f("ix_playbook_task_run_id"), table_name="playbook_task")
    op.drop_index(op.f("ix_playbook_task_account_id"), table_name="playbook_task")
    op.drop_table("playbook_task")
    op.drop_index(
        "uq_team_member_once", table_name="team_member", postgresql_where=sa.text("left_at IS NULL")
    )
    op.drop_index(
        "uq_team_member_accountable",
        table_name="team_member",
        postgresql_where=sa.text("left_at IS NULL AND raci = 'accountable'"),
    )
    op.drop_index(op.f("ix_team_member_user_id"), table_name="team_member")
    op.drop_index(op.f("ix_team_member_tenant_id"), table_name="team_member")
    op.drop_index(op.f("ix_team_member_account_id"), table_name="team_member")
    op.drop_table("team_member")
    op.drop_index(
        "uq_playbook_run_open",
        table_name="playbook_run",
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.drop_index(op.f("ix_playbook_run_tenant_id_opened_at"), table_name="playbook_run")
    op.drop_index(op.f("ix_playbook_run_tenant_id"), table_name="playbook_run")
    op.drop_index(op.f("ix_playbook_run_playbook_id"), table_name="playbook_run")
    op.drop_index(op.f("ix_playbook_run_account_id"), table_name="playbook_run")
    op.drop_table("playbook_run")
    op.drop_index(
        "uq_playbook_trigger", table_name="playbook", postgresql_where=sa.text("retired_at IS NULL")
    )
    op.drop_index(op.f("ix_playbook_tenant_id"), table_name="playbook")
    op.drop_table("playbook")
