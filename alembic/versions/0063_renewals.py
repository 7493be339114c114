"""Renewals of agreements, with their timeline and outcome."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0063"
down_revision: str | Sequence[str] | None = "0062"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OUTCOMES = ("renewed", "renewed_tacitly", "ended", "lapsed", "withdrawn")
REASONS = ("value", "service", "price", "competitor", "budget", "closure", "other")


def upgrade() -> None:
    outcome = sa.Enum(*OUTCOMES, name="renewaloutcome", native_enum=False, length=40)
    reason = sa.Enum(*REASONS, name="renewalreason", native_enum=False, length=40)
    op.create_table(
        "renewal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("fixed_until", sa.Date(), nullable=False),
        sa.Column("notice_by", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days_left", sa.BigInteger(), nullable=True),
        sa.Column("notice_passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", outcome, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", reason, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("price_change_bps", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_renewal_outcome_has_time")
        ),
        sa.CheckConstraint(
            "outcome NOT IN ('renewed', 'ended') OR (reason IS NOT NULL AND decided_by IS NOT NULL)",
            name=op.f("ck_renewal_decision_has_reason"),
        ),
        sa.CheckConstraint(
            "price_change_bps IS NULL OR outcome = 'renewed'",
            name=op.f("ck_renewal_price_of_a_renewed_one"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_renewal_{table}_id_{table}")
            )
            for table in ("account", "agreement", "tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
    )
    op.execute("ALTER TABLE renewal ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE renewal FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON renewal USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    for columns in (["account_id"], ["account_id", "notice_by"], ["agreement_id"], ["tenant_id"]):
        op.create_index(op.f(f"ix_renewal_{'_'.join(columns)}"), "renewal", columns)
    op.create_index(
        "ix_renewal_look",
        "renewal",
        ["tenant_id", "look_at"],
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "uq_renewal_one_open",
        "renewal",
        ["agreement_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("renewal")
