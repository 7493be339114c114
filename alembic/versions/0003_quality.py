"""Quality: measurements per window, burning budgets, sealed columns and simulated terms."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_AN_ACCOUNT = (
    "burn_state", "column_segment", "measurement", "quality_look", "quality_policy", "sealing", "simulation",
)  # fmt: skip
PACKED = ("ts", "code", "counts", "incidents", "sites")


def upgrade() -> None:
    op.create_table(
        "portfolio",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "window",
            sa.Enum(
                "day",
                "week",
                "month",
                "quarter",
                "last_24h",
                "last_7d",
                "last_28d",
                name="window",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ratios", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("points_e6", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_portfolio_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portfolio")),
        sa.UniqueConstraint(
            "tenant_id",
            "window",
            "from_at",
            name=op.f("uq_portfolio_tenant_id_window_from_at"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_portfolio_tenant_id"), "portfolio", ["tenant_id"], unique=False)
    op.create_table(
        "quality_look",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dirty_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_quality_look_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_quality_look_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_quality_look")),
    )
    op.create_index(op.f("ix_quality_look_due_at"), "quality_look", ["due_at"], unique=False)
    op.create_index(op.f("ix_quality_look_tenant_id"), "quality_look", ["tenant_id"], unique=False)
    op.create_table(
        "quality_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "tier",
            sa.Enum(
                "basic", "enhanced", "premium", name="servicetier", native_enum=False, length=40
            ),
            nullable=True,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("weights", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("risk_limit_bps", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "risk_limit_bps >= 0", name=op.f("ck_quality_policy_risk_limit_not_negative")
        ),
        sa.CheckConstraint(
            "tier IS NULL OR account_id IS NULL", name=op.f("ck_quality_policy_one_level")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_quality_policy_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_quality_policy_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_policy")),
        sa.UniqueConstraint(
            "tenant_id",
            "tier",
            "account_id",
            name=op.f("uq_quality_policy_tenant_id_tier_account_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        op.f("ix_quality_policy_tenant_id"), "quality_policy", ["tenant_id"], unique=False
    )
    op.create_table(
        "sealing",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("upto_seq", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sealing_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_sealing_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sealing")),
    )
    op.create_index(op.f("ix_sealing_tenant_id"), "sealing", ["tenant_id"], unique=False)
    op.create_table(
        "simulation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("terms_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("weeks", sa.BigInteger(), nullable=False),
        sa.Column("p50_cents", sa.BigInteger(), nullable=False),
        sa.Column("p95_cents", sa.BigInteger(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("simulated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("simulated_by", sa.Text(), nullable=False),
        sa.Column("evaluator", sa.BigInteger(), nullable=False),
        sa.Column("signed_off_by_id", sa.Uuid(), nullable=True),
        sa.Column("signed_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_off_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(signed_off_by_id IS NULL) = (signed_off_at IS NULL)",
            name=op.f("ck_simulation_sign_off_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_simulation_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["signed_off_by_id"],
            ["app_user.id"],
            name=op.f("fk_simulation_signed_off_by_id_app_user"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_simulation_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_simulation")),
    )
    op.create_index(op.f("ix_simulation_account_id"), "simulation", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_simulation_account_id_terms_sha256"),
        "simulation",
        ["account_id", "terms_sha256"],
        unique=False,
    )
    op.create_index(op.f("ix_simulation_tenant_id"), "simulation", ["tenant_id"], unique=False)
    op.create_table(
        "burn_state",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("calm", "ticket", "page", name="burn", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n_30d", sa.BigInteger(), nullable=False),
        sa.Column("misses_left", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_burn_state_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_burn_state_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_burn_state_term_id_promise_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_burn_state")),
        sa.UniqueConstraint("term_id", name=op.f("uq_burn_state_term_id")),
    )
    op.create_index(op.f("ix_burn_state_account_id"), "burn_state", ["account_id"], unique=False)
    op.create_index(op.f("ix_burn_state_tenant_id"), "burn_state", ["tenant_id"], unique=False)
    op.create_table(
        "column_segment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("incidents", sa.LargeBinary(), nullable=False),
        sa.Column("sites", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "length(counts) = 4 * units AND length(incidents) = 16 * units AND length(sites) = 16 * units",
            name=op.f("ck_column_segment_unit_columns"),
        ),
        sa.CheckConstraint(
            "length(ts) = 8 * events AND length(code) = events",
            name=op.f("ck_column_segment_event_columns"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_column_segment_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_column_segment_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_column_segment_term_id_promise_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_segment")),
        sa.UniqueConstraint("term_id", "month_on", name=op.f("uq_column_segment_term_id_month_on")),
    )
    op.create_index(
        op.f("ix_column_segment_account_id"), "column_segment", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_column_segment_tenant_id"), "column_segment", ["tenant_id"], unique=False
    )
    op.create_table(
        "measurement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("term_id", sa.Uuid(), nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column(
            "window",
            sa.Enum(
                "day",
                "week",
                "month",
                "quarter",
                "last_24h",
                "last_7d",
                "last_28d",
                name="window",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("p50_us", sa.BigInteger(), nullable=True),
        sa.Column("p90_us", sa.BigInteger(), nullable=True),
        sa.Column("p95_us", sa.BigInteger(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=False),
        sa.Column("wilson", sa.Double(), nullable=False),
        sa.Column("budget", sa.Double(), nullable=False),
        sa.Column("misses_left", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("points_e6", sa.BigInteger(), nullable=True),
        sa.Column("contributions_e6", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("coverage_ppm", sa.BigInteger(), nullable=True),
        sa.Column("change_e6", sa.BigInteger(), nullable=True),
        sa.Column("terms_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("calendar_version_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("evaluator", sa.BigInteger(), nullable=False),
        sa.Column("input_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("n > 0 AND kept BETWEEN 0 AND n", name=op.f("ck_measurement_counts")),
        sa.CheckConstraint(
            "site_id IS NULL OR term_id IS NULL", name=op.f("ck_measurement_one_scope")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_measurement_account_id_account")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_measurement_site_id_site")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_measurement_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_measurement_term_id_promise_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
        sa.UniqueConstraint(
            "account_id",
            "site_id",
            "term_id",
            "window",
            "from_at",
            name=op.f("uq_measurement_account_id_site_id_term_id_window_from_at"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_measurement_account_id"), "measurement", ["account_id"], unique=False)
    op.create_index(
        "ix_measurement_peers",
        "measurement",
        ["tenant_id", "window", "from_at"],
        unique=False,
        postgresql_where=sa.text("site_id IS NULL AND term_id IS NULL"),
    )
    op.create_index(op.f("ix_measurement_tenant_id"), "measurement", ["tenant_id"], unique=False)
    # PostgreSQL's own compression would cost more than the kernels and gain little.
    for column in PACKED:
        op.execute(f"ALTER TABLE column_segment ALTER COLUMN {column} SET STORAGE EXTERNAL")
    for table in OF_AN_ACCOUNT:
        for statement in _policy(table, account="account_id"):
            op.execute(statement)
    for statement in _policy("portfolio"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_measurement_tenant_id"), table_name="measurement")
    op.drop_index(
        "ix_measurement_peers",
        table_name="measurement",
        postgresql_where=sa.text("site_id IS NULL AND term_id IS NULL"),
    )
    op.drop_index(op.f("ix_measurement_account_id"), table_name="measurement")
    op.drop_table("measurement")
    op.drop_index(op.f("ix_column_segment_tenant_id"), table_name="column_segment")
    op.drop_index(op.f("ix_column_segment_account_id"), table_name="column_segment")
    op.drop_table("column_segment")
    op.drop_index(op.f("ix_burn_state_tenant_id"), table_name="burn_state")
    op.drop_index(op.f("ix_burn_state_account_id"), table_name="burn_state")
    op.drop_table("burn_state")
    op.drop_index(op.f("ix_simulation_tenant_id"), table_name="simulation")
    op.drop_index(op.f("ix_simulation_account_id_terms_sha256"), table_name="simulation")
    op.drop_index(op.f("ix_simulation_account_id"), table_name="simulation")
    op.drop_table("simulation")
    op.drop_index(op.f("ix_sealing_tenant_id"), table_name="sealing")
    op.drop_table("sealing")
    op.drop_index(op.f("ix_quality_policy_tenant_id"), table_name="quality_policy")
    op.drop_table("quality_policy")
    op.drop_index(op.f("ix_quality_look_tenant_id"), table_name="quality_look")
    op.drop_index(op.f("ix_quality_look_due_at"), table_name="quality_look")
    op.drop_table("quality_look")
    op.drop_index(op.f("ix_portfolio_tenant_id"), table_name="portfolio")
    op.drop_table("portfolio")


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
