"""Referrals, case studies, reference calls and champions."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0082"
down_revision: str | Sequence[str] | None = "0081"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "case_study",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("text_number", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "offered",
                "consented",
                "declined",
                "published",
                "withdrawn",
                name="casestudystate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column(
            "channels", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consented_text", sa.BigInteger(), nullable=True),
        sa.Column("evidence_note", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state NOT IN ('consented', 'published') OR (consented_at IS NOT NULL AND until_on IS NOT NULL AND consented_text = text_number)",
            name=op.f("ck_case_study_shown_with_consent"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_case_study_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_case_study_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_case_study_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_study")),
    )
    op.execute("ALTER TABLE case_study ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE case_study FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON case_study USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_case_study_account_id"), "case_study", ["account_id"], unique=False)
    op.create_index(
        "ix_case_study_published",
        "case_study",
        ["tenant_id", "published_at"],
        unique=False,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_index(op.f("ix_case_study_tenant_id"), "case_study", ["tenant_id"], unique=False)
    op.create_table(
        "champion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("evidence_note", sa.Text(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                "left",
                "other_role",
                "changed_mind",
                "named_wrongly",
                "erased",
                name="championend",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("end_note", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)", name=op.f("ck_champion_ended_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_champion_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_champion_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_champion_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_champion")),
    )
    op.execute("ALTER TABLE champion ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE champion FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON champion USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_champion_account_id"), "champion", ["account_id"], unique=False)
    op.create_index(op.f("ix_champion_contact_id"), "champion", ["contact_id"], unique=False)
    op.create_index(op.f("ix_champion_tenant_id"), "champion", ["tenant_id"], unique=False)
    op.create_index(
        "uq_champion_open",
        "champion",
        ["contact_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "reference_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("prospect", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "agreed",
                "held",
                "cancelled",
                name="callstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state <> 'held' OR held_at IS NOT NULL", name=op.f("ck_reference_call_held_has_time")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_reference_call_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_reference_call_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_reference_call_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_call")),
    )
    op.execute("ALTER TABLE reference_call ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE reference_call FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON reference_call USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_reference_call_account_id"), "reference_call", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_reference_call_account_id_requested_at"),
        "reference_call",
        ["account_id", "requested_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_reference_call_contact_id"), "reference_call", ["contact_id"], unique=False
    )
    op.create_index(
        op.f("ix_reference_call_tenant_id"), "reference_call", ["tenant_id"], unique=False
    )
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("prospect", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "contacted",
                "offered",
                "won",
                "lost",
                name="referralstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("value_cents", sa.BigInteger(), nullable=True),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("won_account_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'lost') = (reason IS NOT NULL)", name=op.f("ck_referral_lost_has_reason")
        ),
        sa.CheckConstraint(
            "(state = 'won') = (won_account_id IS NOT NULL)",
            name=op.f("ck_referral_won_has_account"),
        ),
        sa.CheckConstraint("value_cents >= 0", name=op.f("ck_referral_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_referral_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_referral_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_referral_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["won_account_id"], ["account.id"], name=op.f("fk_referral_won_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("won_account_id", name=op.f("uq_referral_won_account_id")),
    )
    op.execute("ALTER TABLE referral ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE referral FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON referral USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_referral_account_id"), "referral", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_referral_account_id_referred_at"),
        "referral",
        ["account_id", "referred_at"],
        unique=False,
    )
    op.create_index(op.f("ix_referral_tenant_id"), "referral", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_referral_tenant_id"), table_name="referral")
    op.drop_index(op.f("ix_referral_account_id_referred_at"), table_name="referral")
    op.drop_index(op.f("ix_referral_account_id"), table_name="referral")
    op.drop_table("referral")
    op.drop_index(op.f("ix_reference_call_tenant_id"), table_name="reference_call")
    op.drop_index(op.f("ix_reference_call_contact_id"), table_name="reference_call")
    op.drop_index(op.f("ix_reference_call_account_id_requested_at"), table_name="reference_call")
    op.drop_index(op.f("ix_reference_call_account_id"), table_name="reference_call")
    op.drop_table("reference_call")
    op.drop_index(
        "uq_champion_open", table_name="champion", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_index(op.f("ix_champion_tenant_id"), table_name="champion")
    op.drop_index(op.f("ix_champion_contact_id"), table_name="champion")
    op.drop_index(op.f("ix_champion_account_id"), table_name="champion")
    op.drop_table("champion")
    op.drop_index(op.f("ix_case_study_tenant_id"), table_name="case_study")
    op.drop_index(
        "ix_case_study_published",
        table_name="case_study",
        postgresql_where=sa.text("state = 'published'"),
    )
    op.drop_index(op.f("ix_case_study_account_id"), table_name="case_study")
    op.drop_table("case_study")
