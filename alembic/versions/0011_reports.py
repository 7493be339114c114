"""Reports: plans, reports as they were made, touchpoints."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("report_plan", "report", "touchpoint")
AT = sa.DateTime(timezone=True)


def _text_enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=40)


def _owned(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=f"fk_{table}_tenant_id_tenant"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=f"fk_{table}_account_id_account"
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "report_plan",
        *_owned("report_plan"),
        sa.Column("cadence", _text_enum("cadence", "daily", "weekly"), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("late_credit_cents", sa.BigInteger(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("look_at", AT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("account_id", "cadence", name="uq_report_plan_account_id_cadence"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="ck_report_plan_weekday"),
        sa.CheckConstraint("late_credit_cents > 0", name="ck_report_plan_late_credit_positive"),
    )
    op.create_index(
        "ix_report_plan_due", "report_plan", ["look_at"], postgresql_where=sa.text("enabled")
    )
    op.create_table(
        "report",
        *_owned("report"),
        sa.Column("cadence", _text_enum("cadence", "daily", "weekly"), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("delivered_at", AT, nullable=True),
        sa.Column("verdict", _text_enum("verdict", "kept", "late"), nullable=True),
        sa.Column("judged_at", AT, nullable=True),
        sa.Column("look_at", AT, nullable=True),
        sa.UniqueConstraint(
            "account_id", "cadence", "first_on", name="uq_report_account_id_cadence_first_on"
        ),
        sa.CheckConstraint("until_at >= from_at", name="ck_report_until_after_from"),
    )
    op.create_index("ix_report_account_id_due_at", "report", ["account_id", "due_at"])
    op.create_index(
        "ix_report_unjudged",
        "report",
        ["look_at"],
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_table(
        "touchpoint",
        *_owned("touchpoint"),
        sa.Column(
            "kind",
            _text_enum("touchpointkind", "formal_review", "check_in", "social"),
            nullable=False,
        ),
        sa.Column("anchor_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", AT, nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name="fk_touchpoint_contact_id_contact"
        ),
    )
    op.create_index(
        "uq_touchpoint_one_open",
        "touchpoint",
        ["account_id", "kind"],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_touchpoint_open",
        "touchpoint",
        ["tenant_id", "due_on"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    for table in TABLES:
        op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id"])
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])
        for statement in _policy(table, account="account_id"):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
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
