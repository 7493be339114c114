"""Proofs of the audit trail, and personal words kept apart from the facts that commit to them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_COMPANY = ("audit_checkpoint", "audit_tile", "audit_tree")
OF_AN_ACCOUNT = ("audit_leaf", "disclosure")
KEPT = ("audit_checkpoint", "audit_leaf")

KEEP_THE_PROOFS = """
CREATE FUNCTION keep_the_proofs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_tree",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("signed_size", sa.BigInteger(), nullable=False),
        sa.Column("signed_seq", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.Column("week", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_tree_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_audit_tree")),
    )
    op.create_table(
        "audit_leaf",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("nth", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_audit_leaf_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_leaf_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "position", name=op.f("pk_audit_leaf")),
        sa.UniqueConstraint("account_id", "nth", name=op.f("uq_audit_leaf_account_id_nth")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_leaf_seq")),
    )
    op.create_index(
        op.f("ix_audit_leaf_tenant_id_account_id_position"),
        "audit_leaf",
        ["tenant_id", "account_id", "position"],
    )
    op.create_table(
        "audit_tile",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_tile_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "level", "number", name=op.f("pk_audit_tile")),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("verifier_key", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_checkpoint_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoint")),
        sa.UniqueConstraint("tenant_id", "size", name=op.f("uq_audit_checkpoint_tenant_id_size")),
    )
    op.create_index(op.f("ix_audit_checkpoint_tenant_id"), "audit_checkpoint", ["tenant_id"])
    op.create_table(
        "disclosure",
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_disclosure_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_disclosure_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_disclosure")),
    )
    op.create_index(op.f("ix_disclosure_subject_id"), "disclosure", ["subject_id"])
    op.create_index(op.f("ix_disclosure_tenant_id_at"), "disclosure", ["tenant_id", "at"])

    op.execute(KEEP_THE_PROOFS)
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_the_proofs()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_keeps_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION keep_the_proofs()"
        )
    for table in OF_A_COMPANY:
        for statement in _policy(table):
            op.execute(statement)
    for table in OF_AN_ACCOUNT:
        for statement in _policy(table, account="account_id"):
            op.execute(statement)


def downgrade() -> None:
    for table in ("disclosure", "audit_checkpoint", "audit_tile", "audit_leaf", "audit_tree"):
        op.drop_table(table)
    op.execute("DROP FUNCTION keep_the_proofs()")


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
