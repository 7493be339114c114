"""Early warnings about relationships with clients."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0055"
down_revision: str | Sequence[str] | None = "0054"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "early_warning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "responses_slowing",
                "meetings_cancelled",
                "messages_shorter",
                "key_contact_changed",
                "budget_pressure",
                "competitor_named",
                "feedback_stopped",
                "approvals_late",
                "scope_questioned",
                "legal_on_small_matter",
                "payment_late",
                "satisfaction_falling",
                "no_future_work",
                "support_escalating",
                "renewal_at_risk",
                "single_thread",
                "reactive_only",
                "no_health_rhythm",
                "warning_unhandled",
                "tier_ignored",
                name="warningrule",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum("low", "medium", "high", name="warningseverity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_early_warning_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_early_warning_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_warning")),
    )
    op.execute("ALTER TABLE early_warning ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE early_warning FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON early_warning USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_early_warning_account_id"), "early_warning", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_early_warning_tenant_id"), "early_warning", ["tenant_id"], unique=False
    )
    op.create_index(
        op.f("ix_early_warning_tenant_id_raised_at"),
        "early_warning",
        ["tenant_id", "raised_at"],
        unique=False,
    )
    op.create_index(
        "uq_early_warning_open",
        "early_warning",
        ["account_id", "rule"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_early_warning_open",
        table_name="early_warning",
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.drop_index(op.f("ix_early_warning_tenant_id_raised_at"), table_name="early_warning")
    op.drop_index(op.f("ix_early_warning_tenant_id"), table_name="early_warning")
    op.drop_index(op.f("ix_early_warning_account_id"), table_name="early_warning")
    op.drop_table("early_warning")
