"""RAID log: risks, actions, issues and decisions about clients."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0060"
down_revision: str | Sequence[str] | None = "0059"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    kinds = ("risk", "action", "issue", "decision")
    kind = sa.Enum(*kinds, name="raidkind", native_enum=False, length=40)
    op.create_table(
        "raid_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("impact", sa.BigInteger(), nullable=True),
        sa.Column("likelihood", sa.BigInteger(), nullable=True),
        sa.Column("rationale", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("commitment_id", sa.Uuid(), nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_late_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "impact BETWEEN 1 AND 5 AND likelihood BETWEEN 1 AND 5",
            name=op.f("ck_raid_entry_one_to_five"),
        ),
        sa.CheckConstraint(
            "kind <> 'risk' OR (impact IS NOT NULL AND likelihood IS NOT NULL)",
            name=op.f("ck_raid_entry_risk_is_assessed"),
        ),
        sa.CheckConstraint(
            "(kind = 'decision') = (rationale IS NOT NULL)",
            name=op.f("ck_raid_entry_decision_has_rationale"),
        ),
        sa.CheckConstraint(
            "(kind = 'action') = (commitment_id IS NOT NULL)",
            name=op.f("ck_raid_entry_action_is_made"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)",
            name=op.f("ck_raid_entry_closing_has_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_raid_entry_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["commitment_id"],
            ["commitment.id"],
            name=op.f("fk_raid_entry_commitment_id_commitment"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_raid_entry_owner_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_raid_entry_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raid_entry")),
    )
    op.execute("ALTER TABLE raid_entry ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE raid_entry FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON raid_entry USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    for columns in (["account_id"], ["account_id", "raised_at"], ["tenant_id"]):
        op.create_index(op.f(f"ix_raid_entry_{'_'.join(columns)}"), "raid_entry", columns)
    op.create_index(
        "ix_raid_entry_reviewed_next",
        "raid_entry",
        ["tenant_id", "review_due_at"],
        unique=False,
        postgresql_where=sa.text(
            "closed_at IS NULL AND review_late_at IS NULL AND review_due_at IS NOT NULL"
        ),
    )


def downgrade() -> None:
    op.drop_table("raid_entry")
