"""Escalation: policies, how far each ticket is, and the steps that were taken."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "escalation_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("priorities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("repeat_minutes", sa.BigInteger(), nullable=True),
        sa.Column("stale_minutes", sa.BigInteger(), nullable=True),
        sa.Column("warn_percents", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "repeat_minutes > 0", name=op.f("ck_escalation_policy_repeat_takes_time")
        ),
        sa.CheckConstraint("stale_minutes > 0", name=op.f("ck_escalation_policy_stale_takes_time")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_escalation_policy_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_escalation_policy_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_policy")),
    )
    op.create_index(
        op.f("ix_escalation_policy_account_id"), "escalation_policy", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_escalation_policy_tenant_id"), "escalation_policy", ["tenant_id"], unique=False
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column(
            "cycle",
            sa.Enum(
                "unacknowledged", "stale", "management", name="cycle", native_enum=False, length=40
            ),
            nullable=True,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("management_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_escalation_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_escalation_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["escalation_policy.id"],
            name=op.f("fk_escalation_policy_id_escalation_policy"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_escalation_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_escalation_incident_id")),
    )
    op.create_index(op.f("ix_escalation_account_id"), "escalation", ["account_id"], unique=False)
    op.create_index(
        "ix_escalation_due",
        "escalation",
        ["next_step_at"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_escalation_tenant_id"), "escalation", ["tenant_id"], unique=False)
    op.create_table(
        "escalation_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "cycle",
            sa.Enum(
                "unacknowledged", "stale", "management", name="cycle", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("contact_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_escalation_step_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
            name=op.f("fk_escalation_step_escalation_id_escalation"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_escalation_step_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_step")),
        sa.UniqueConstraint(
            "escalation_id",
            "cycle",
            "since",
            "number",
            name=op.f("uq_escalation_step_escalation_id_cycle_since_number"),
        ),
    )
    op.create_index(
        op.f("ix_escalation_step_account_id"), "escalation_step", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_escalation_step_tenant_id"), "escalation_step", ["tenant_id"], unique=False
    )
    for table in ("escalation_policy", "escalation", "escalation_step"):
        for statement in _policy(table, account="account_id"):
            op.execute(statement)


def downgrade() -> None:
    for table in ("escalation_step", "escalation", "escalation_policy"):
        op.drop_table(table)


def _policy(table: str, *, account: str | None = None) -> list[str]:
    mine = "tenant_id = (SELECT fence_tenant())"
    if account is not None:
        mine += (
            f" AND ((SELECT fence_accounts()) IS NULL OR {account} IS NULL"
            f" OR {account} = ANY ((SELECT fence_accounts())::uuid[]))"
        )
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} USING ({mine})",
    ]
