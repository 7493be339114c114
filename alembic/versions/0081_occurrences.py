"""Entries of the occurrence log, their corrections, and reports of shifts; a signed report never changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0081"
down_revision: str | Sequence[str] | None = "0080"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


KEEP_SIGNED = """
CREATE FUNCTION keep_signed_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a signed report of a shift never changes';
END $$
"""
"""The notes of a signed report can still be erased from it, because people are named in them."""


def upgrade() -> None:
    op.create_table(
        "occurrence_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "visitor",
                "key",
                "parcel",
                "defect",
                "observation",
                "other",
                name="occurrencekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_by", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_occurrence_entry_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_occurrence_entry_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_occurrence_entry_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_occurrence_entry_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_occurrence_entry_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_occurrence_entry_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence_entry")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_occurrence_entry_incident_id")),
    )
    op.execute("ALTER TABLE occurrence_entry ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE occurrence_entry FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON occurrence_entry USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_occurrence_entry_account_id"), "occurrence_entry", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_occurrence_entry_account_id_happened_at"),
        "occurrence_entry",
        ["account_id", "happened_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_occurrence_entry_shift_id_happened_at"),
        "occurrence_entry",
        ["shift_id", "happened_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_occurrence_entry_site_id_happened_at"),
        "occurrence_entry",
        ["site_id", "happened_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_occurrence_entry_tenant_id"), "occurrence_entry", ["tenant_id"], unique=False
    )
    op.create_index(
        op.f("ix_occurrence_entry_tenant_id_happened_at"),
        "occurrence_entry",
        ["tenant_id", "happened_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_occurrence_entry_user_id"), "occurrence_entry", ["user_id"], unique=False
    )
    op.create_table(
        "shift_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handover", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("by_guard", sa.Boolean(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("content_sha256", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (content IS NULL) AND (signed_at IS NULL) = (signed_by IS NULL)",
            name=op.f("ck_shift_report_signed_has_content"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_shift_report_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_shift_report_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_shift_report_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_shift_report_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_shift_report_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_report")),
        sa.UniqueConstraint("shift_id", name=op.f("uq_shift_report_shift_id")),
    )
    op.execute("ALTER TABLE shift_report ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE shift_report FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON shift_report USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_shift_report_account_id"), "shift_report", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_shift_report_account_id_due_at"),
        "shift_report",
        ["account_id", "due_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_shift_report_site_id_due_at"), "shift_report", ["site_id", "due_at"], unique=False
    )
    op.create_index(op.f("ix_shift_report_tenant_id"), "shift_report", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_shift_report_user_id"), "shift_report", ["user_id"], unique=False)
    op.create_table(
        "occurrence_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column(
            "earlier_kind",
            sa.Enum(
                "visitor",
                "key",
                "parcel",
                "defect",
                "observation",
                "other",
                name="occurrencekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("earlier_words", sa.Text(), nullable=False),
        sa.Column("earlier_internal", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("corrected_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_occurrence_correction_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["occurrence_entry.id"],
            name=op.f("fk_occurrence_correction_entry_id_occurrence_entry"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_occurrence_correction_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence_correction")),
        sa.UniqueConstraint(
            "entry_id", "place", name=op.f("uq_occurrence_correction_entry_id_place")
        ),
    )
    op.execute("ALTER TABLE occurrence_correction ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE occurrence_correction FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON occurrence_correction USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_occurrence_correction_account_id"),
        "occurrence_correction",
        ["account_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_occurrence_correction_tenant_id"),
        "occurrence_correction",
        ["tenant_id"],
        unique=False,
    )
    op.execute(KEEP_SIGNED)
    op.execute(
        "CREATE TRIGGER shift_report_keeps BEFORE UPDATE OF shift_id, due_at, signed_at, signed_by, by_guard,"
        " content, content_sha256 ON shift_report FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL AND"
        " (OLD.shift_id, OLD.due_at, OLD.signed_at, OLD.signed_by, OLD.by_guard, OLD.content, OLD.content_sha256)"
        " IS DISTINCT FROM"
        " (NEW.shift_id, NEW.due_at, NEW.signed_at, NEW.signed_by, NEW.by_guard, NEW.content, NEW.content_sha256))"
        " EXECUTE FUNCTION keep_signed_report()"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_occurrence_correction_tenant_id"), table_name="occurrence_correction")
    op.drop_index(op.f("ix_occurrence_correction_account_id"), table_name="occurrence_correction")
    op.drop_table("occurrence_correction")
    op.drop_index(op.f("ix_shift_report_user_id"), table_name="shift_report")
    op.drop_index(op.f("ix_shift_report_tenant_id"), table_name="shift_report")
    op.drop_index(op.f("ix_shift_report_site_id_due_at"), table_name="shift_report")
    op.drop_index(op.f("ix_shift_report_account_id_due_at"), table_name="shift_report")
    op.drop_index(op.f("ix_shift_report_account_id"), table_name="shift_report")
    op.drop_table("shift_report")
    op.execute("DROP FUNCTION keep_signed_report()")
    op.drop_index(op.f("ix_occurrence_entry_user_id"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_tenant_id_happened_at"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_tenant_id"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_site_id_happened_at"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_shift_id_happened_at"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_account_id_happened_at"), table_name="occurrence_entry")
    op.drop_index(op.f("ix_occurrence_entry_account_id"), table_name="occurrence_entry")
    op.drop_table("occurrence_entry")
