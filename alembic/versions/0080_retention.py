"""Forecasts of leaving, outcomes of clients, and changes of the stage of accounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0080"
down_revision: str | Sequence[str] | None = "0079"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "churn_forecast",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "horizon",
            sa.Enum(
                "days_90", "days_180", "renewal", name="churnhorizon", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("probability_millionths", sa.BigInteger(), nullable=True),
        sa.Column("low_millionths", sa.BigInteger(), nullable=True),
        sa.Column("high_millionths", sa.BigInteger(), nullable=True),
        sa.Column("score_millionths", sa.BigInteger(), nullable=True),
        sa.Column("is_above", sa.Boolean(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("left_within", sa.Boolean(), nullable=True),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(probability_millionths IS NULL) = (low_millionths IS NULL) AND (low_millionths IS NULL) = (high_millionths IS NULL)",
            name=op.f("ck_churn_forecast_number_has_bounds"),
        ),
        sa.CheckConstraint(
            "left_within IS NULL OR scored_at IS NOT NULL",
            name=op.f("ck_churn_forecast_truth_is_dated"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_churn_forecast_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_churn_forecast_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_churn_forecast")),
        sa.UniqueConstraint(
            "account_id",
            "horizon",
            "published_on",
            name=op.f("uq_churn_forecast_account_id_horizon_published_on"),
        ),
    )
    op.execute("ALTER TABLE churn_forecast ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE churn_forecast FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON churn_forecast USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_churn_forecast_account_id"), "churn_forecast", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_churn_forecast_tenant_id"), "churn_forecast", ["tenant_id"], unique=False
    )
    op.create_index(
        "ix_churn_forecast_unscored",
        "churn_forecast",
        ["tenant_id", "ends_on"],
        unique=False,
        postgresql_where=sa.text("scored_at IS NULL"),
    )
    op.create_table(
        "client_outcome",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "left",
                "renewed",
                "ended_by_company",
                "merged",
                name="outcomekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "price",
                "service",
                "competitor",
                "budget",
                "site_closed",
                "relationship",
                "other",
                "unknown",
                name="outcomereason",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("labelled_by", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_client_outcome_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_client_outcome_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_outcome")),
    )
    op.execute("ALTER TABLE client_outcome ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE client_outcome FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON client_outcome USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_client_outcome_account_id"), "client_outcome", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_client_outcome_account_id_labelled_at"),
        "client_outcome",
        ["account_id", "labelled_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_client_outcome_tenant_id"), "client_outcome", ["tenant_id"], unique=False
    )
    op.create_table(
        "stage_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stage_before",
            sa.Enum(
                "prospect",
                "onboarding",
                "delivery",
                "growth",
                "renewal",
                "advocacy",
                name="stage",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "stage_after",
            sa.Enum(
                "prospect",
                "onboarding",
                "delivery",
                "growth",
                "renewal",
                "advocacy",
                name="stage",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_stage_change_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_stage_change_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_change")),
    )
    op.execute("ALTER TABLE stage_change ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE stage_change FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON stage_change USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_stage_change_account_id"), "stage_change", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_stage_change_account_id_changed_at"),
        "stage_change",
        ["account_id", "changed_at"],
        unique=False,
    )
    op.create_index(op.f("ix_stage_change_tenant_id"), "stage_change", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_stage_change_tenant_id"), table_name="stage_change")
    op.drop_index(op.f("ix_stage_change_account_id_changed_at"), table_name="stage_change")
    op.drop_index(op.f("ix_stage_change_account_id"), table_name="stage_change")
    op.drop_table("stage_change")
    op.drop_index(op.f("ix_client_outcome_tenant_id"), table_name="client_outcome")
    op.drop_index(op.f("ix_client_outcome_account_id_labelled_at"), table_name="client_outcome")
    op.drop_index(op.f("ix_client_outcome_account_id"), table_name="client_outcome")
    op.drop_table("client_outcome")
    op.drop_index(
        "ix_churn_forecast_unscored",
        table_name="churn_forecast",
        postgresql_where=sa.text("scored_at IS NULL"),
    )
    op.drop_index(op.f("ix_churn_forecast_tenant_id"), table_name="churn_forecast")
    op.drop_index(op.f("ix_churn_forecast_account_id"), table_name="churn_forecast")
    op.drop_table("churn_forecast")
