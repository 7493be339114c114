"""Status reports: computed from data, confirmed by a person."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0062"
down_revision: str | Sequence[str] | None = "0061"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    light = sa.Enum("green", "yellow", "red", name="statuslight", native_enum=False, length=40)
    op.create_table(
        "status_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed", light, nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("done_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("due_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("raid_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed", light, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("is_greener", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("until_on > from_on", name=op.f("ck_status_report_ends_after_start")),
        sa.CheckConstraint(
            "num_nonnulls(confirmed_at, confirmed_by, confirmed, is_greener) IN (0, 4)",
            name=op.f("ck_status_report_confirmation_is_whole"),
        ),
        sa.CheckConstraint(
            "is_greener IS NOT TRUE OR reason IS NOT NULL",
            name=op.f("ck_status_report_greener_has_reason"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_status_report_{column}_{table}")
            )
            for column, table in (
                ("account_id", "account"),
                ("meeting_id", "meeting"),
                ("tenant_id", "tenant"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_report")),
        sa.UniqueConstraint(
            "account_id",
            "from_on",
            "until_on",
            name=op.f("uq_status_report_account_id_from_on_until_on"),
        ),
    )
    op.execute("ALTER TABLE status_report ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE status_report FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON status_report USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    for columns in (["account_id"], ["tenant_id"], ["tenant_id", "confirmed_at"]):
        op.create_index(op.f(f"ix_status_report_{'_'.join(columns)}"), "status_report", columns)


def downgrade() -> None:
    op.drop_table("status_report")
