"""Testimonials: requests to contacts, what they wrote, and their consent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0071"
down_revision: str | Sequence[str] | None = "0070"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "testimonial",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "given",
                "approved",
                "refused",
                "declined",
                "withdrawn",
                name="testimonialstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("shown_name", sa.Text(), nullable=True),
        sa.Column("shown_role", sa.Text(), nullable=True),
        sa.Column(
            "channels",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("consent_version", sa.BigInteger(), nullable=True),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("moderated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "refusal",
            sa.Enum(
                "not_about_service",
                "names_persons",
                "confidential",
                "offensive",
                "not_the_author",
                name="testimonialrefusal",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state NOT IN ('given', 'approved', 'refused') OR (words IS NOT NULL AND shown_name IS NOT NULL"
            " AND consented_at IS NOT NULL AND consent_version IS NOT NULL AND until_on IS NOT NULL)",
            name=op.f("ck_testimonial_given_with_consent"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('withdrawn', 'declined') OR (words IS NULL AND shown_name IS NULL)",
            name=op.f("ck_testimonial_withdrawn_without_words"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (refusal IS NOT NULL)",
            name=op.f("ck_testimonial_refused_has_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_testimonial_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_testimonial_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_testimonial_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_testimonial")),
    )
    op.execute("ALTER TABLE testimonial ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE testimonial FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON testimonial USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_testimonial_account_id"), "testimonial", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_testimonial_contact_id_asked_at"),
        "testimonial",
        ["contact_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        "ix_testimonial_shown",
        "testimonial",
        ["tenant_id", "moderated_at"],
        unique=False,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_index(op.f("ix_testimonial_tenant_id"), "testimonial", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_testimonial_tenant_id"), table_name="testimonial")
    op.drop_index(
        "ix_testimonial_shown",
        table_name="testimonial",
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.drop_index(op.f("ix_testimonial_contact_id_asked_at"), table_name="testimonial")
    op.drop_index(op.f("ix_testimonial_account_id"), table_name="testimonial")
    op.drop_table("testimonial")
