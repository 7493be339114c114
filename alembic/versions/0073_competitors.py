"""Competitors with figures of their public pages, and since when the ratings of a source are lower."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0073"
down_revision: str | Sequence[str] | None = "0072"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "competitor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_competitor_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competitor")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_competitor_tenant_id_name")),
    )
    op.create_index(op.f("ix_competitor_tenant_id"), "competitor", ["tenant_id"], unique=False)
    op.create_table(
        "competitor_figure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("competitor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "platform",
            sa.Enum(
                "google",
                "kiyoh",
                "trustpilot",
                "json_feed",
                "rss",
                "file",
                name="reviewsourcekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("read_on", sa.Date(), nullable=False),
        sa.Column("reviews", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.CheckConstraint("reviews >= 0", name=op.f("ck_competitor_figure_reviews_not_negative")),
        sa.CheckConstraint("share BETWEEN 0 AND 1", name=op.f("ck_competitor_figure_share_0_to_1")),
        sa.ForeignKeyConstraint(
            ["competitor_id"],
            ["competitor.id"],
            name=op.f("fk_competitor_figure_competitor_id_competitor"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_competitor_figure_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_competitor_figure")),
        sa.UniqueConstraint(
            "competitor_id",
            "platform",
            "read_on",
            name=op.f("uq_competitor_figure_competitor_id_platform_read_on"),
        ),
    )
    op.create_index(
        op.f("ix_competitor_figure_tenant_id"), "competitor_figure", ["tenant_id"], unique=False
    )
    for table in ("competitor", "competitor_figure"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY fence ON {table} USING (tenant_id = (SELECT fence_tenant()))")
    op.add_column("review_source", sa.Column("compared_on", sa.Date(), nullable=True))
    op.add_column("review_source", sa.Column("fell_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("review_source", "fell_on")
    op.drop_column("review_source", "compared_on")
    op.drop_index(op.f("ix_competitor_figure_tenant_id"), table_name="competitor_figure")
    op.drop_table("competitor_figure")
    op.drop_index(op.f("ix_competitor_tenant_id"), table_name="competitor")
    op.drop_table("competitor")
